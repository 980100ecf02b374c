"""The quantization engine and its blocks, in the order in which a group passes them."""

from .engine import FORMATS, QuantizationEngine

__all__ = ["FORMATS", "QuantizationEngine"]
