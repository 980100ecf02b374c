import pytest

from synth import liberty
from synth.flows import TARGETS, ecp5, generic, ice40
from synth.yosys import SynthesisError

from .components import BlackBox, Chain, Latch, Register, Xor

#: Targets this machine can run: osu018 takes part where its Debian packages are.
PRESENT = ["generic", "ice40", "ecp5", *([] if liberty.missing_packages() else ["osu018"])]


def test_generic_gate():
    result = generic.run(Xor(), "xor_gate")
    assert result.cells == {"$_XOR_": 1}
    assert result.figures == {"gates": 1, "FF": 0, "NAND2 (est.)": 3.0}
    assert result.blocks == {}


def test_generic_enables_are_gates():
    result = generic.run(Register(), "register")
    assert result.cells == {"$_DFF_P_": 8, "$_MUX_": 8}
    # Eight flip-flops of 16 transistors and eight multiplexers of 12, by four.
    assert result.nand2 == 56


def test_generic_blocks_add_up():
    result = generic.run(Chain(), "chain")
    assert result.blocks == {"chain": 112, "chain.first": 56, "chain.second": 56}
    assert result.nand2 == 112


def test_ice40_counts():
    assert ice40.run(Xor(), "xor_gate").cells == {"SB_LUT4": 1}
    assert ice40.run(Register(), "register").cells == {"SB_DFFE": 8}


def test_ecp5_counts():
    assert ecp5.run(Xor(), "xor_gate").cells == {"LUT4": 1}
    register = ecp5.run(Register(), "register")
    assert register.cells == {"TRELLIS_FF": 8}
    assert register.logic_cells == 0


@pytest.mark.parametrize("target", PRESENT)
@pytest.mark.parametrize(
    ("component", "reason"),
    [
        (BlackBox, r"Yosys failed: Module `\\multiplier_ip' referenced in module `\\top'.*"),
        (Latch, r".*(DLATCH|LATCH|latch).*"),
    ],
)
def test_black_boxes_and_foreign_cells_fail(target, component, reason):
    with pytest.raises(SynthesisError, match=rf"^{reason}$"):
        TARGETS[target].run(component(), "top")
