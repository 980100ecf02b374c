from collections.abc import Callable
from dataclasses import dataclass

from amaranth.lib import wiring

from .accumulator import Fp32Accumulator
from .column import Column
from .core import GemmCore
from .decode import DecodeUnit
from .dot import SubgroupDot
from .formats import Format
from .quantizer import QuantizationEngine
from .tile import SystolicTile


@dataclass(frozen=True)
class UnitParameters:
    """Parameters a unit is built from; a unit takes those that mean something to it.

    Attributes
    ----------
    format : Format
    columns : int
        Columns of a tile.
    rows : int
        Rows of partial sums a tile keeps.
    buffer_groups : int
        Groups of activations a core keeps.
    accumulate, quantize : bool
        What a core can do beside FP32 products.
    """

    format: Format
    columns: int = 1
    rows: int = 128
    buffer_groups: int = 1024
    accumulate: bool = False
    quantize: bool = False


#: Unit name -> constructor, for everything that is exported or synthesized by name.
UNITS: dict[str, Callable[[UnitParameters], wiring.Component]] = {
    "decode": lambda p: DecodeUnit(p.format),
    "subgroup": lambda p: SubgroupDot(p.format),
    "accumulator": lambda p: Fp32Accumulator(p.format),
    "column": lambda p: Column(p.format),
    "tile": lambda p: SystolicTile(p.format, columns=p.columns, rows=p.rows),
    "quantizer": lambda p: QuantizationEngine(p.format),
    "core": lambda p: GemmCore(
        p.format,
        columns=p.columns,
        rows=p.rows,
        buffer_groups=p.buffer_groups,
        accumulate=p.accumulate,
        quantize=p.quantize,
    ),
}

#: Units of the synthesis report; a core is mostly its activation buffer, as large as one likes.
STUDIED = tuple(unit for unit in UNITS if unit != "core")
