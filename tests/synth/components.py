"""Components small enough to count their cells by hand."""

from amaranth.hdl import Instance, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Xor(wiring.Component):
    """One gate."""

    a: In(1)
    b: In(1)
    y: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.y.eq(self.a ^ self.b)
        return m


class Register(wiring.Component):
    """Eight flip-flops with an enable: eight multiplexers where there is no enable pin."""

    d: In(8)
    enable: In(1)
    q: Out(8)

    def elaborate(self, platform):
        m = Module()
        state = Signal(8, reset_less=True)
        with m.If(self.enable):
            m.d.sync += state.eq(self.d)
        m.d.comb += self.q.eq(state)
        return m


class Chain(wiring.Component):
    """Two registers, one after the other, as submodules."""

    d: In(8)
    enable: In(1)
    q: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.first = first = Register()
        m.submodules.second = second = Register()
        m.d.comb += [
            first.d.eq(self.d),
            second.d.eq(first.q),
            self.q.eq(second.q),
            first.enable.eq(self.enable),
            second.enable.eq(self.enable),
        ]
        return m


class Adder(wiring.Component):
    """A registered sum of registered operands: a carry chain between flip-flops."""

    a: In(16)
    b: In(16)
    total: Out(16)

    def elaborate(self, platform):
        m = Module()
        a = Signal(16, reset_less=True)
        b = Signal(16, reset_less=True)
        total = Signal(16, reset_less=True)
        m.d.sync += [a.eq(self.a), b.eq(self.b), total.eq(a + b)]
        m.d.comb += self.total.eq(total)
        return m


class Product(wiring.Component):
    """A product of two numbers plus a third, without registers."""

    a: In(4)
    b: In(4)
    c: In(8)
    y: Out(9)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.y.eq(self.a * self.b + self.c)
        return m


class BlackBox(wiring.Component):
    """An instance of a module that nobody defines: it would count as no area at all."""

    a: In(8)
    y: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.hidden = Instance("multiplier_ip", i_a=self.a, o_y=self.y)
        return m


class Latch(wiring.Component):
    """An instance of a cell that Yosys knows and no target of ours has: a latch."""

    d: In(1)
    enable: In(1)
    q: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.submodules.latch = Instance("$_DLATCH_P_", i_D=self.d, i_E=self.enable, o_Q=self.q)
        return m
