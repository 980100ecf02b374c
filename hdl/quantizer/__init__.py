"""The quantization engine and its blocks, in the order in which a group passes them."""

from .engine import QuantizationEngine

__all__ = ["QuantizationEngine"]
