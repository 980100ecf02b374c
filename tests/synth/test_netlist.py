import json

import pytest

from synth import netlist
from synth.netlist import Module
from synth.yosys import SynthesisError

MODULES = {
    "top": Module({"NAND": 2}, {"pair": 3}),
    "pair": Module({"NOT": 1}, {"one": 2}),
    "one": Module({"NAND": 1}, {}),
}


def test_statistics_tell_cells_from_submodules(tmp_path):
    file = tmp_path / "stat.json"
    cells = {"\\top": {"NAND": 2, "pair": 3}, "pair": {"NOT": 1}}
    body = {name: {"num_cells_by_type": kinds} for name, kinds in cells.items()}
    file.write_text(json.dumps({"modules": body}))
    assert netlist.read_statistics(file, "top") == {
        "top": Module({"NAND": 2}, {"pair": 3}),
        "pair": Module({"NOT": 1}, {}),
    }
    with pytest.raises(SynthesisError, match=r"^The netlist has no module 'other'$"):
        netlist.read_statistics(file, "other")


def test_instances_are_counted_each():
    assert netlist.flat(MODULES, "top") == {"NAND": 2 + 3 * 2, "NOT": 3}
    areas = netlist.subtotals(MODULES, lambda cells: sum(cells.values()))
    assert areas == {"top": 11, "pair": 3, "one": 1}


def test_unknown_cells_are_named():
    netlist.check_cells(MODULES, {"NAND", "NOT"})
    with pytest.raises(
        SynthesisError,
        match=r"^Module 'pair' has a cell 'NOT' that is not a cell of the target$",
    ):
        netlist.check_cells(MODULES, {"NAND"})
