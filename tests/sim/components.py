"""Small components to try the engines on."""

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out


class Fault(enum.Enum, shape=unsigned(3)):
    """What :class:`Example` does wrong."""

    NONE = 0
    #: Alters a payload that waits.
    CHANGES = 1
    #: Takes back a payload that waits.
    WITHDRAWS = 2
    #: Is not valid before it sees ready.
    WAITS = 3
    #: Sends a sum of 7 twice.
    REPEATS = 4
    #: Loses a sum of 7.
    DROPS = 5


class Example(wiring.Component):
    """An adder of streams, with faults on demand, beside a multiplier of three stages."""

    pairs: In(stream.Signature(data.StructLayout({"a": 40, "b": 40})))
    sums: Out(stream.Signature(41))
    fault: In(Fault)

    a: In(data.StructLayout({"value": 33}))
    b: In(7)
    product: Out(40)
    low: Out(3)

    def elaborate(self, platform):
        m = Module()
        self._add(m)
        a, b, partial = Signal(33), Signal(7), Signal(40)
        m.d.sync += [a.eq(self.a.value), b.eq(self.b), partial.eq(a * b)]
        m.d.sync += [self.product.eq(partial), self.low.eq(partial)]
        return m

    def _add(self, m):
        full, repeat, total = Signal(), Signal(), Signal(41)
        taken, given = Signal(), Signal()
        result = Signal(41)
        m.d.comb += [
            result.eq(self.pairs.p.a + self.pairs.p.b),
            self.sums.payload.eq(total),
            self.sums.valid.eq(full & (self.sums.ready | (self.fault != Fault.WAITS))),
            self.pairs.ready.eq(~full | (self.sums.ready & ~repeat)),
            taken.eq(self.pairs.valid & self.pairs.ready),
            given.eq(self.sums.valid & self.sums.ready),
        ]
        with m.If(given):
            m.d.sync += [full.eq(repeat), repeat.eq(0)]
        with m.If(taken):
            m.d.sync += [
                total.eq(result),
                full.eq(~((self.fault == Fault.DROPS) & (result == 7))),
                repeat.eq((self.fault == Fault.REPEATS) & (result == 7)),
            ]
        with m.If(self.sums.valid & ~self.sums.ready):
            m.d.sync += total.eq(Mux(self.fault == Fault.CHANGES, total + 1, total))
            with m.If(self.fault == Fault.WITHDRAWS):
                m.d.sync += full.eq(0)


class Join(wiring.Component):
    """Joins a payload of each of two streams: combinational, with an array of ports."""

    sources: In(stream.Signature(5)).array(2)
    nested: Out(wiring.Signature({"joined": Out(stream.Signature(10))}))

    def elaborate(self, platform):
        m = Module()
        first, second = self.sources
        joined = self.nested.joined
        m.d.comb += [
            joined.payload.eq(first.payload | (second.payload << 5)),
            joined.valid.eq(first.valid & second.valid),
            first.ready.eq(joined.ready & second.valid),
            second.ready.eq(joined.ready & first.valid),
        ]
        return m


class Inverter(wiring.Component):
    """Inverts 16 bits without a clock."""

    i: In(16)
    o: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(~self.i)
        return m
