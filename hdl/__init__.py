"""Amaranth gateware of M2XFP: from decode unit to GEMM core."""

from . import formats
from .accumulator import Fp32Accumulator
from .column import Column
from .core import GemmCore
from .decode import DecodeUnit, GroupDecoder
from .dot import GroupDot, SubgroupDot
from .quantizer import QuantizationEngine
from .tile import SystolicTile

__all__ = [
    "Column",
    "DecodeUnit",
    "Fp32Accumulator",
    "GemmCore",
    "GroupDecoder",
    "GroupDot",
    "QuantizationEngine",
    "SubgroupDot",
    "SystolicTile",
    "formats",
]
