import re

import pytest
import z3
from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from sim.verify.checker import Checker, Refuted, Vacuous
from sim.verify.diagrams import Operand, Sums
from sim.verify.model import Model
from sim.verify.reach import prove_invariants

X, Y = z3.BitVecs("x y", 8)


class Counter(wiring.Component):
    """Counts to five and starts again; never six, as long as it is enabled."""

    enable: In(1)
    wide: In(12)
    assume: Out(1)
    bad_five: Out(1)
    bad_six: Out(1)
    cover_four: Out(1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(3)
        with m.If(self.enable):
            m.d.sync += count.eq(Mux(count == 5, 0, count + 1))
        m.d.comb += [
            self.assume.eq(self.wide[:3] != 2),
            self.bad_five.eq((count == 5) & self.wide[0]),
            self.bad_six.eq((count == 6) | (self.wide[:3] == 2)),
            self.cover_four.eq((count == 4) & (self.wide[4:] == 7)),
        ]
        return m


class NeverFour(Counter):
    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.assume.eq(~self.enable & (self.wide[:3] != 2))
        return m


def test_what_holds_and_what_does_not():
    check = Checker()
    check.prove("sum", X + Y == Y + X)
    check.cover("both", X == 3, Y == 4)
    with pytest.raises(Refuted, match=r"^equal, where x = 5, y = \w+$"):
        check.prove("equal", X == Y, X == 5)
    with pytest.raises(Vacuous, match=r"^three and four cannot be reached$"):
        check.cover("three and four", X == 3, X == 4)
    assert (check.proved, check.covered) == (1, 1)


def test_ieee_addition_is_not_associative():
    a, b, c = (z3.FP(name, z3.Float16()) for name in "abc")
    with pytest.raises(Refuted, match="order"):
        Checker().prove("order", (a + b) + c == a + (b + c), z3.Not(z3.fpIsNaN(a + b + c)))


def test_reachable_states():
    check = Checker()
    with pytest.raises(Refuted, match=r"^bad_five, where it rises within 5 cycles$"):
        prove_invariants(check, Counter())
    assert check.proved == 0
    with pytest.raises(Vacuous, match=r"^cover_four cannot be reached$"):
        prove_invariants(check, NeverFour())


def test_model_steps_from_power_on():
    model = Model(Counter())
    state = model.drive(model.fresh("a"), enable=z3.BitVecVal(1, 1))
    later = model.step(state, "b")
    check = Checker()
    check.prove("one", model.value(later, "count") == 1, *model.initial(state))
    with pytest.raises(Refuted, match="one"):
        check.prove("one", model.value(later, "count") == 1)
    message = "Port wide has 12 bits, not 8"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        model.drive(state, wide=X)


def test_sums_of_free_bits():
    operands = [Operand(3, True, 0), Operand(3, False, 1), Operand(2, True, 2)]
    sums = Sums(operands)
    a, b, c = sums.terms()
    total = z3.SignExt(3, a) + (z3.ZeroExt(3, b) << 1) + (z3.SignExt(4, c) << 2)
    assert sums.equal([total], 0)
    assert sums.equal([total - 9, z3.BitVecVal(9, 6)], 0)
    assert not sums.equal([total], 1)
    assert not sums.equal([z3.ZeroExt(3, a) + total - z3.SignExt(3, a)], 0)
