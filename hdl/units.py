from collections.abc import Callable
from dataclasses import dataclass

from amaranth.lib import wiring

from .accumulator import Fp32Accumulator
from .column import Column
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
    """

    format: Format
    columns: int = 1
    rows: int = 128


#: Unit name -> constructor, for everything that is exported or synthesized by name.
UNITS: dict[str, Callable[[UnitParameters], wiring.Component]] = {
    "decode": lambda p: DecodeUnit(p.format),
    "subgroup": lambda p: SubgroupDot(p.format),
    "accumulator": lambda p: Fp32Accumulator(p.format),
    "column": lambda p: Column(p.format),
    "tile": lambda p: SystolicTile(p.format, columns=p.columns, rows=p.rows),
    "quantizer": lambda p: QuantizationEngine(p.format),
}
