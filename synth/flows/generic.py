"""Generic gates: Yosys' own cells, with the area of an ordinary CMOS library as an estimate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amaranth.lib import wiring

from hdl import export
from hdl.fabric import Fabric

from .. import netlist, yosys

__all__ = ["FABRIC", "Result", "map_blocks", "nand2", "run"]

#: What components that are measured here should be shaped for.
FABRIC = Fabric.GATES

#: Transistors of static CMOS gates; a NAND2 has four. A flip-flop is two latches of eight.
TRANSISTORS = {
    "$_NOT_": 2,
    "$_NAND_": 4,
    "$_NOR_": 4,
    "$_AND_": 6,
    "$_OR_": 6,
    "$_ANDNOT_": 6,
    "$_ORNOT_": 6,
    "$_XOR_": 12,
    "$_XNOR_": 12,
    "$_MUX_": 12,
    "$_DFF_P_": 16,
}


@dataclass(frozen=True)
class Result:
    """Figures of one component in generic gates.

    Members
    -------
    gates
        Cells that are not flip-flops, in the flattened netlist.
    flip_flops
        Number of flip-flops; enables and resets are gates of their own.
    nand2
        Estimated area in NAND2 equivalents: transistors / 4.
    cells
        Cell type -> count.
    blocks
        Block -> estimated NAND2 of it and all below, in a netlist that keeps the hierarchy.
        Empty for a component without submodules.
    """

    name: str
    gates: int
    flip_flops: int
    nand2: float
    cells: dict[str, int]
    blocks: dict[str, float] = field(default_factory=dict)

    @property
    def figures(self) -> dict[str, float]:
        """Headline figures by column title."""
        return {"gates": self.gates, "FF": self.flip_flops, "NAND2 (est.)": self.nand2}


def _script(name: str, flatten: bool) -> list[str]:
    return [
        "read_rtlil design.il",
        f"hierarchy -check -top {name}",
        f"synth -noabc {'-flatten ' if flatten else ''}-top {name}",
        # One kind of flip-flop, so that the gates of enables and resets are counted.
        "dfflegalize -cell $_DFF_P_ 01",
        "opt -nodffe -nosdff",
        "abc",
        "opt_clean -purge",
        "check -assert",
        "tee -o stat.json stat -json",
    ]


def nand2(cells: Mapping[str, int]) -> float:
    """Estimated area in NAND2 equivalents of cell type -> count."""
    return sum(TRANSISTORS[kind] * count for kind, count in cells.items()) / 4


def _map(rtlil: str, name: str, folder: Path, *, flatten: bool) -> dict[str, netlist.Module]:
    with yosys.workspace(folder):
        (folder / "design.il").write_text(rtlil)
        yosys.run(_script(name, flatten), folder)
        modules = netlist.read_statistics(folder / "stat.json", name)
    netlist.check_cells(modules, TRANSISTORS)
    return modules


def map_blocks(rtlil: str, name: str, folder: Path) -> dict[str, netlist.Module]:
    """Map RTLIL to generic gates with the hierarchy kept."""
    return _map(rtlil, name, folder, flatten=False)


def run(
    component: wiring.Component, name: str, *, blocks: bool = True, folder: Path | None = None
) -> Result:
    """Map a component to generic gates.

    Parameters
    ----------
    component
        A component that was not elaborated before.
    name
        Name of the top module.
    blocks
        Whether to map once more with the hierarchy kept, for `Result.blocks`.
    folder
        Where to keep scripts, logs and statistics; nothing is kept by default.

    Raises
    ------
    SynthesisError
        If a module is undefined, a cell is not mapped or Yosys complains.
    """
    rtlil = export.rtlil(component, name)
    with yosys.workspace(folder) as place:
        cells = _map(rtlil, name, place / "flat", flatten=True)[name].cells
        kept = {}
        if blocks and rtlil.count("\nmodule ") > 1:
            kept = map_blocks(rtlil, name, place / "blocks")
    flip_flops = cells.get("$_DFF_P_", 0)
    return Result(
        name=name,
        gates=sum(cells.values()) - flip_flops,
        flip_flops=flip_flops,
        nand2=nand2(cells),
        cells=cells,
        blocks=netlist.subtotals(kept, nand2),
    )
