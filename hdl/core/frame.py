from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from .layouts import axis


class Frame(wiring.Component):
    """Takes exactly one frame, up to TLAST, and hands on exactly the beats that are asked for.

    Zeros take the place of beats missing after an early TLAST; beats after the last one that is
    asked for are dropped up to a late TLAST. So whatever a host sends, the consumer gets its
    beats, and the next frame begins with the next command. Latency 0.

    Parameters
    ----------
    width : int
        Bits of a beat.

    Attributes
    ----------
    i : In(axis(width))
    o : Out(stream.Signature(width))
        Beats, while ``busy``.
    start : In(1)
        A frame begins with the next cycle.
    absent : In(1)
        With ``start``: there is no frame, all beats are zeros.
    final : In(1)
        The beat on ``o`` is the last one that is asked for.
    busy : Out(1)
        From the cycle after ``start`` until the frame has ended on both sides.
    early, late, stalled : Out(1)
        TLAST came too early or too late (one cycle each); a beat is asked for and none is there.
    """

    def __init__(self, width: int):
        super().__init__(
            {
                "i": In(axis(width)),
                "o": Out(stream.Signature(width)),
                "start": In(1),
                "absent": In(1),
                "final": In(1),
                "busy": Out(1),
                "early": Out(1),
                "late": Out(1),
                "stalled": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        last = self.i.payload.last
        taken = Signal()
        m.d.comb += taken.eq(self.i.valid & self.i.ready)
        with m.FSM() as fsm:
            with m.State("IDLE"), m.If(self.start):
                with m.If(self.absent):
                    m.next = "FILL"
                with m.Else():
                    m.next = "PASS"
            with m.State("PASS"):
                m.d.comb += [
                    self.o.valid.eq(self.i.valid),
                    self.o.payload.eq(self.i.payload.data),
                    self.i.ready.eq(self.o.ready),
                    self.early.eq(taken & last & ~self.final),
                    self.late.eq(taken & ~last & self.final),
                    self.stalled.eq(self.o.ready & ~self.i.valid),
                ]
                with m.If(taken & self.final & last):
                    m.next = "IDLE"
                with m.Elif(self.late):
                    m.next = "DROP"
                with m.Elif(self.early):
                    m.next = "FILL"
            with m.State("FILL"):
                m.d.comb += self.o.valid.eq(1)
                with m.If(self.o.ready & self.final):
                    m.next = "IDLE"
            with m.State("DROP"):
                m.d.comb += [self.i.ready.eq(1), self.stalled.eq(~self.i.valid)]
                with m.If(taken & last):
                    m.next = "IDLE"
        m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
        return m
