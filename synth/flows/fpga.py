"""What the two FPGA flows share: mapping, the check of the cells, placement in a frame."""

import logging
from collections.abc import Collection
from pathlib import Path

from amaranth.lib import wiring

from hdl import export

from .. import netlist, nextpnr, yosys
from ..harness import Harness

__all__ = ["map_cells", "place"]

_log = logging.getLogger(__name__)


def _map(rtlil: str, name: str, mapping: str, known: Collection[str], folder: Path):
    with yosys.workspace(folder):
        (folder / "design.il").write_text(rtlil)
        script = [
            "read_rtlil design.il",
            f"hierarchy -check -top {name}",
            # Without this prefix the mapping crashes on what Amaranth writes.
            "proc",
            "flatten",
            "opt_clean -purge",
            # More effort than the default script of ABC9: fewer LUTs, as fast. Its `flow3` takes
            # fewer in small blocks, many more in a whole column.
            "scratchpad -copy abc9.script.flow2 abc9.script",
            f"{mapping} -top {name} -json netlist.json",
            "check -assert",
            "tee -o stat.json stat -json",
        ]
        yosys.run(script, folder)
        modules = netlist.read_statistics(folder / "stat.json", name)
    netlist.check_cells(modules, known)
    return modules[name].cells


def map_cells(
    component: wiring.Component, name: str, mapping: str, known: Collection[str], folder: Path
) -> dict[str, int]:
    """Cell type -> count of a component mapped by a Yosys command.

    Raises
    ------
    SynthesisError
        If a module is undefined, a cell is not in ``known`` or Yosys complains.
    """
    return _map(export.rtlil(component, name), name, mapping, known, folder / "unit")


def place(
    component: wiring.Component,
    mapping: str,
    known: Collection[str],
    device: nextpnr.Device,
    seeds: int,
    folder: Path,
) -> nextpnr.Placement:
    """Place and route a component in a `Harness`."""
    rtlil = export.rtlil(Harness(component), "harness")
    _map(rtlil, "harness", mapping, known, folder / "placed")
    _log.info("placing on %s", device.name)
    return nextpnr.place(device, folder / "placed", seeds)
