from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from .exponents import largest


def ranked_layout(beat: data.ArrayLayout) -> data.StructLayout:
    """Return the layout of a beat with what its group has in common.

    Members
    -------
    lanes : beat
    largest : unsigned(8)
        Largest exponent of the group.
    """
    return data.StructLayout({"lanes": beat, "largest": 8})


class Collector(wiring.Component):
    """Keeps the beats of a group until the largest exponent of the group is known.

    The next group moves in behind the beats that leave, so a beat enters and one leaves every
    cycle. The first beat of a group leaves in the cycle after its last has entered.

    Parameters
    ----------
    beat : data.ArrayLayout
        Values of a beat: an array of a `lane_layout`.
    beats : int
        Beats a group, at least 2.

    Attributes
    ----------
    i : In(stream.Signature(beat))
    o : Out(stream.Signature(ranked_layout(beat)))
        The beats in order, each with the largest exponent of its group.
    """

    def __init__(self, beat: data.ArrayLayout, beats: int):
        self._beats = beats
        self._beat = beat
        super().__init__(
            {"i": In(stream.Signature(beat)), "o": Out(stream.Signature(ranked_layout(beat)))}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = store = memory.Memory(shape=self._beat, depth=self._beats, init=[])
        write, read = store.write_port(), store.read_port(domain="comb")
        full = Signal()
        so_far, final = Signal(8, reset_less=True), Signal(8, reset_less=True)
        entering = self.i.valid & self.i.ready
        leaving = self.o.valid & self.o.ready
        with_beat = largest(m, [lane.exponent for lane in self.i.payload], "beat")
        widest = Signal(8)
        m.d.comb += [
            self.i.ready.eq(~full | self.o.ready),
            self.o.valid.eq(full),
            self.o.payload.lanes.eq(read.data),
            self.o.payload.largest.eq(final),
            write.data.eq(self.i.payload),
            write.en.eq(entering),
            # The first beat starts afresh.
            widest.eq(largest(m, [with_beat, Mux(write.addr == 0, 0, so_far)], "group")),
        ]
        with m.If(leaving):
            m.d.sync += read.addr.eq(following(read.addr, self._beats))
            with m.If(read.addr == self._beats - 1):
                m.d.sync += full.eq(0)
        with m.If(entering):
            m.d.sync += [write.addr.eq(following(write.addr, self._beats)), so_far.eq(widest)]
            with m.If(write.addr == self._beats - 1):
                m.d.sync += [full.eq(1), final.eq(widest)]
        return m


def following(index, count: int):
    """Return the next index of a ring."""
    return Mux(index == count - 1, 0, index + 1)
