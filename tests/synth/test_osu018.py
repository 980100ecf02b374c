"""The standard-cell flow where its Debian packages are, and its refusal where they are not."""

import pytest

from golden.errors import InputError
from synth import liberty, yosys
from synth.flows import osu018

from .components import Product, Register


@pytest.fixture
def present():
    """Whether this machine has the library and OpenSTA; if not, that the flow says so."""
    if not liberty.missing_packages():
        return True
    with pytest.raises(InputError, match=r"^Target osu018 needs the Debian package.*"):
        osu018.run(Register(), "register")
    return False


def test_register(present):
    if not present:
        return
    result = osu018.run(Register(), "register", blocks=True)
    assert result.flip_flops == result.cells["DFFPOSX1"] == 8
    # A flip-flop is four NAND2; a multiplexer of at least one NAND2 holds each.
    assert 8 * 4 + 8 < result.nand2 < 8 * 4 + 8 * 3
    areas = liberty.cell_areas(liberty.OSU018.read_text())
    counted = sum(areas[cell] * count for cell, count in result.cells.items())
    assert result.nand2 == pytest.approx(counted / 24)
    assert 0.2 < result.period_ns < 1.5
    assert result.path[-1].cell == "DFFPOSX1"
    assert result.path[-1].arrival_ns < result.period_ns
    assert set(result.tried) == set(osu018.RECIPES)
    assert result.area_period == min(area * period for area, period in result.tried.values())
    assert result.power_mw > 0


@pytest.mark.parametrize("recipe", osu018.RECIPES)
def test_netlists_compute_what_was_described(tmp_path, present, recipe):
    """Proven by SAT for all inputs, with the functions of the library's own cells."""
    if not present:
        return
    osu018.run(Product(), "product", recipes=[recipe], folder=tmp_path)
    yosys.run(_proof("netlist.v"), tmp_path / recipe)


def test_a_wrong_netlist_fails_the_proof(tmp_path, present):
    if not present:
        return
    osu018.run(Product(), "product", recipes=["area"], folder=tmp_path)
    folder = tmp_path / "area"
    text = (folder / "netlist.v").read_text()
    assert "NAND2X1" in text
    (folder / "wrong.v").write_text(text.replace("NAND2X1", "NOR2X1", 1))
    with pytest.raises(yosys.SynthesisError, match=r"^Yosys failed: .*proof did fail.*"):
        yosys.run(_proof("wrong.v"), folder)


def _proof(netlist):
    return [
        "read_rtlil design.il",
        "hierarchy -check -top product",
        "proc",
        "flatten",
        "rename product described",
        "read_liberty cells.lib",
        f"read_verilog {netlist}",
        "flatten product",
        "rename product mapped",
        "miter -equiv -flatten -make_outputs described mapped both",
        "hierarchy -top both",
        "sat -verify -prove trigger 0 -show-inputs both",
    ]
