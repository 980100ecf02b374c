"""Small components to try the engines on, good and bad ones."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

Pair = data.StructLayout({"a": 40, "b": 40})


class Adder(wiring.Component):
    """Adds the two halves of a payload plus ``offset``; a two-entry skid buffer decouples it."""

    pairs: In(stream.Signature(Pair))
    sums: Out(stream.Signature(41))
    offset: In(4)

    def elaborate(self, platform):
        m = Module()
        spare, spare_full = Signal(41), Signal()
        result = (self.pairs.p.a + self.pairs.p.b + self.offset)[:41]
        m.d.comb += self.pairs.ready.eq(~spare_full)
        with m.If(~self.sums.valid | self.sums.ready):
            m.d.sync += self.sums.payload.eq(Mux(spare_full, spare, result))
            m.d.sync += self.sums.valid.eq(spare_full | self.pairs.valid)
            m.d.sync += spare_full.eq(0)
        with m.Elif(self.pairs.valid & self.pairs.ready):
            m.d.sync += spare.eq(result)
            m.d.sync += spare_full.eq(1)
        return m


class Zip(wiring.Component):
    """Joins one payload of each of two streams, a combinational component of nested ports."""

    sources: In(stream.Signature(5)).array(2)
    joined: Out(stream.Signature(10))

    def elaborate(self, platform):
        m = Module()
        first, second = self.sources
        m.d.comb += [
            self.joined.p.eq(first.payload | (second.payload << 5)),
            self.joined.valid.eq(first.valid & second.valid),
            first.ready.eq(self.joined.ready & second.valid),
            second.ready.eq(self.joined.ready & first.valid),
        ]
        return m


class Multiplier(wiring.Component):
    """Multiplies signed by unsigned in three stages of plain ports."""

    a: In(data.StructLayout({"value": 33}))
    b: In(7)
    product: Out(40)
    low: Out(3)

    def elaborate(self, platform):
        m = Module()
        a, b = Signal(33), Signal(7)
        partial = Signal(40)
        m.d.sync += [a.eq(self.a.value), b.eq(self.b), partial.eq(a * b)]
        m.d.sync += [self.product.eq(partial), self.low.eq(partial)]
        return m


class Inverter(wiring.Component):
    """Inverts 16 bits without a clock."""

    i: In(16)
    o: Out(16)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.o.eq(~self.i)
        return m


class Faulty(wiring.Component):
    """Passes a stream on, with one fault.

    ``changes`` alters a payload that waits, ``withdraws`` takes it back, ``waits`` is not valid
    before it sees ready, ``repeats`` sends the payload 7 twice, ``drops`` loses it.
    """

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def __init__(self, fault=None):
        self._fault = fault
        super().__init__()

    def elaborate(self, platform):
        m = Module()
        full, repeat, payload = Signal(), Signal(), Signal(8)
        m.d.comb += [
            self.o.payload.eq(payload),
            self.o.valid.eq(full),
            self.i.ready.eq(~full | (self.o.ready & ~repeat)),
        ]
        with m.If(self.o.valid & self.o.ready):
            m.d.sync += [full.eq(repeat), repeat.eq(0)]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [full.eq(1), payload.eq(self.i.payload)]
            if self._fault == "repeats":
                m.d.sync += repeat.eq(self.i.payload == 7)
            if self._fault == "drops":
                m.d.sync += full.eq(self.i.payload != 7)
        stalled = self.o.valid & ~self.o.ready
        if self._fault == "changes":
            with m.If(stalled):
                m.d.sync += payload.eq(payload + 1)
        if self._fault == "withdraws":
            with m.If(stalled):
                m.d.sync += full.eq(0)
        if self._fault == "waits":
            m.d.comb += self.o.valid.eq(full & self.o.ready)
        return m
