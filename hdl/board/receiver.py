from amaranth.hdl import Cat, Module, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from .frames import SYNC, Kind, Stream, checksum

__all__ = ["FrameReceiver"]


class FrameReceiver(wiring.Component):
    """Takes frames out of bytes, and hands on the beats of those that are whole and new.

    A frame is kept until its checksum is known to be right, then its beats are handed on, then it
    is acknowledged. Bytes that come in between are dropped: the host waits. A frame with the
    sequence bit of the one before is acknowledged again and not handed on.

    Latency: after the last byte, a cycle for each byte of payload and three more for each beat,
    if beats are taken at once.

    Parameters
    ----------
    sizes : dict of Stream to int
        Bytes of a beat of every stream that there is; frames for others are ignored.

    Attributes
    ----------
    data : In(8)
    strobe : In(1)
        Bytes, as `UartReceiver` has them.
    o : Out(stream)
        Beats: ``stream``, ``last`` and ``data``, of which a stream narrower than others has the
        upper bits. What is left of a payload after its last whole beat is dropped.
    acknowledge : Out(stream.Signature(1))
        Sequence bit of a frame that was handed on.
    """

    def __init__(self, sizes: dict[Stream, int]):
        self._sizes = dict(sizes)
        width = 8 * max(self._sizes.values())
        beat = data.StructLayout({"stream": Stream, "last": 1, "data": width})
        super().__init__(
            {
                "data": In(8),
                "strobe": In(1),
                "o": Out(stream.Signature(beat)),
                "acknowledge": Out(stream.Signature(1)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.memory = memory = Memory(shape=unsigned(8), depth=256, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.submodules.crc = crc = checksum().create()
        kind, length, index = Signal(Kind), Signal(8), Signal(8)
        expected = Signal()
        size = Signal(range(max(self._sizes.values()) + 1))
        for target, count in self._sizes.items():
            with m.If(kind.stream == target):
                m.d.comb += size.eq(count)
        m.d.comb += [
            write.addr.eq(index),
            write.data.eq(self.data),
            read.addr.eq(index),
            crc.data.eq(self.data),
            crc.valid.eq(self.strobe & ~crc.start),
            self.acknowledge.payload.eq(kind.sequence),
            self.o.payload.stream.eq(kind.stream),
        ]
        with m.FSM():
            with m.State("SYNC"):
                m.d.comb += crc.start.eq(1)
                m.d.sync += index.eq(0)
                with m.If(self.strobe & (self.data == SYNC)):
                    m.next = "KIND"
            with m.State("KIND"), m.If(self.strobe):
                m.d.sync += kind.eq(self.data)
                m.next = "SYNC"
                for target in self._sizes:
                    with m.If((self.data[:2] == target) & (self.data[4:] == 0)):
                        m.next = "LENGTH"
            with m.State("LENGTH"), m.If(self.strobe):
                m.d.sync += length.eq(self.data)
                m.next = "PAYLOAD"
                with m.If(self.data == 0):
                    m.next = "SYNC"
            with m.State("PAYLOAD"), m.If(self.strobe):
                m.d.comb += write.en.eq(1)
                m.d.sync += index.eq(index + 1)
                with m.If(index + 1 == length):
                    m.next = "UPPER"
            with m.State("UPPER"), m.If(self.strobe):
                m.next = "LOWER"
            with m.State("LOWER"), m.If(self.strobe):
                m.next = "CHECK"
            with m.State("CHECK"):
                m.d.sync += index.eq(0)
                m.next = "SYNC"
                with m.If(crc.match_detected):
                    m.next = "ACKNOWLEDGE"
                    with m.If(kind.sequence == expected):
                        m.d.sync += expected.eq(~expected)
                        m.next = "FETCH"
            self._hand_on(m, read, kind, length, index, size)
            with m.State("ACKNOWLEDGE"):
                m.d.comb += self.acknowledge.valid.eq(1)
                with m.If(self.acknowledge.ready):
                    m.next = "SYNC"
        return m

    def _hand_on(self, m, read, kind, length, index, size) -> None:
        """Add the states that cut the payload into beats, a byte a cycle."""
        beat, held = self.o.payload.data, Signal.like(size)
        with m.State("FETCH"):
            # The memory answers a cycle later.
            m.d.sync += index.eq(index + 1)
            m.next = "SHIFT"
        with m.State("SHIFT"):
            m.d.sync += [beat.eq(Cat(beat[8:], read.data)), held.eq(held + 1)]
            with m.If(held + 1 == size):
                m.d.sync += [held.eq(0), self.o.payload.last.eq(kind.last & (index == length))]
                m.next = "OFFER"
            with m.Elif(index == length):
                m.d.sync += held.eq(0)
                m.next = "ACKNOWLEDGE"
            with m.Else():
                m.d.sync += index.eq(index + 1)
        with m.State("OFFER"):
            m.d.comb += self.o.valid.eq(1)
            with m.If(self.o.ready):
                m.next = "ACKNOWLEDGE"
                with m.If(index != length):
                    m.next = "FETCH"
