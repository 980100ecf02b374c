from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..core.layouts import axis
from .frames import SYNC, Kind, Reply, checksum

__all__ = ["FrameSender"]


class FrameSender(wiring.Component):
    """Makes frames of acknowledgements, results and status words, one beat a frame.

    Acknowledgements go first, then results, then status words. A frame of n bytes of payload is
    n + 5 bytes: a cycle to take the beat, then a byte in every cycle that ``o`` is ready.

    Parameters
    ----------
    columns : int
        FP32 sums of a beat of results, at most 63.

    Attributes
    ----------
    acknowledge : In(stream.Signature(1))
        Sequence bits to acknowledge.
    results : In(axis(32 * columns))
    status : In(axis(32))
    o : Out(stream.Signature(8))
        Bytes.
    """

    def __init__(self, columns: int):
        self._columns = columns
        super().__init__(
            {
                "acknowledge": In(stream.Signature(1)),
                "results": In(axis(32 * columns)),
                "status": In(axis(32)),
                "o": Out(stream.Signature(8)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.crc = crc = checksum().create()
        kind, length = Signal(Kind), Signal(8)
        left, payload = Signal(8), Signal(32 * self._columns)
        m.d.comb += [
            crc.data.eq(self.o.payload),
            crc.valid.eq(self.o.valid & self.o.ready & ~crc.start),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += kind.eq(0)
                with m.If(self.acknowledge.valid):
                    m.d.comb += self.acknowledge.ready.eq(1)
                    m.d.sync += [kind.sequence.eq(self.acknowledge.payload), length.eq(0)]
                    m.next = "SYNC"
                for reply, beats in ((Reply.RESULTS, self.results), (Reply.STATUS, self.status)):
                    with m.Elif(beats.valid):
                        m.d.comb += beats.ready.eq(1)
                        m.d.sync += [
                            kind.stream.eq(reply),
                            kind.last.eq(beats.payload.last),
                            payload.eq(beats.payload.data),
                            length.eq(len(beats.payload.data) // 8),
                        ]
                        m.next = "SYNC"
            with m.State("SYNC"):
                # The checksum starts over while this byte goes out.
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(SYNC), crc.start.eq(1)]
                with m.If(self.o.ready):
                    m.next = "KIND"
            with m.State("KIND"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(kind)]
                with m.If(self.o.ready):
                    m.next = "LENGTH"
            with m.State("LENGTH"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(length)]
                m.d.sync += left.eq(length)
                with m.If(self.o.ready):
                    m.next = "UPPER"
                    with m.If(length != 0):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(payload[:8])]
                with m.If(self.o.ready):
                    m.d.sync += [payload.eq(payload >> 8), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.next = "UPPER"
            with m.State("UPPER"):
                # The register takes in this byte too, so its lower half must be kept.
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(crc.crc[8:])]
                m.d.sync += left.eq(crc.crc[:8])
                with m.If(self.o.ready):
                    m.next = "LOWER"
            with m.State("LOWER"):
                m.d.comb += [self.o.valid.eq(1), self.o.payload.eq(left)]
                with m.If(self.o.ready):
                    m.next = "IDLE"
        return m
