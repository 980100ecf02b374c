from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .layouts import Command, Output, Refusal, Status, axis

#: Bits of a status word.
WORD = 32


class Control(wiring.Component):
    """Takes a command, checks it, lets the other blocks carry it out, and sends its status.

    The check takes ``bits_for(rows)`` cycles: one step of the product of rows and groups each.

    Parameters
    ----------
    rows : int
        Rows of a block.
    depth : int
        Groups that the activation buffer keeps.
    accumulate, quantize : bool
        What the core is built for.

    Attributes
    ----------
    commands : In(axis(64))
    command : Out(Command)
        The present command.
    start : Out(1)
        Begins the present command.
    busy : In(1)
        A frame of data is not over.
    done : In(1)
        The last result passes.
    record : In(Status)
        What the counters hold; the members that come from the command are not looked at.
    clear : Out(1)
        A command is accepted.
    running : Out(1)
        A command is being checked or carried out.
    status : Out(axis(32))
    """

    def __init__(self, *, rows: int, depth: int, accumulate: bool, quantize: bool):
        self._rows, self._depth = rows, depth
        self._accumulate, self._quantize = accumulate, quantize
        super().__init__(
            {
                "commands": In(axis(Command.as_shape().size)),
                "command": Out(Command),
                "start": Out(1),
                "busy": In(1),
                "done": In(1),
                "record": In(Status),
                "clear": Out(1),
                "running": Out(1),
                "status": Out(axis(WORD)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        refusal = Signal(Refusal)
        steps = self._rows.bit_length()
        size = Signal(16 + steps)
        factor = Signal(steps)
        step = Signal(range(steps))
        finished = Signal()
        index = Signal(range(Status.as_shape().size // WORD))
        block = Mux(self.command.rows < self._rows, self.command.rows, self._rows)

        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [
                    self.commands.ready.eq(1),
                    self.clear.eq(self.commands.valid),
                ]
                with m.If(self.commands.valid):
                    m.d.sync += [
                        self.command.eq(self.commands.payload.data),
                        refusal.eq(Refusal.NONE),
                        size.eq(0),
                        step.eq(0),
                        finished.eq(0),
                    ]
                    m.next = "FACTOR"
                    with m.If(~self.commands.payload.last):
                        m.d.sync += refusal.eq(Refusal.FRAMING)
                        m.next = "SKIP"
            with m.State("SKIP"):
                m.d.comb += [self.running.eq(1), self.commands.ready.eq(1)]
                with m.If(self.commands.valid & self.commands.payload.last):
                    m.next = "STATUS"
            with m.State("FACTOR"):
                m.d.comb += self.running.eq(1)
                m.d.sync += factor.eq(block)
                m.next = "SIZE"
            with m.State("SIZE"):
                m.d.comb += self.running.eq(1)
                m.d.sync += [
                    size.eq((size << 1) + Mux(factor[-1], self.command.groups, 0)),
                    factor.eq(factor << 1),
                    step.eq(step + 1),
                ]
                with m.If(step == steps - 1):
                    m.next = "CHECK"
            with m.State("CHECK"):
                m.d.comb += self.running.eq(1)
                self._check(m, refusal, size)
            with m.State("RUN"):
                m.d.comb += self.running.eq(1)
                m.d.sync += finished.eq(finished | self.done)
                with m.If(finished & ~self.busy):
                    m.next = "STATUS"
            with m.State("STATUS"):
                record = Signal(Status)
                m.d.comb += [
                    record.eq(self.record),
                    record.tag.eq(self.command.tag),
                    record.refusal.eq(refusal),
                    self.status.valid.eq(1),
                    self.status.payload.data.eq(record.as_value().word_select(index, WORD)),
                    self.status.payload.last.eq(index == Status.as_shape().size // WORD - 1),
                ]
                with m.If(self.status.ready):
                    m.d.sync += index.eq(index + 1)
                    with m.If(self.status.payload.last):
                        m.d.sync += index.eq(0)
                        m.next = "IDLE"
        return m

    def _check(self, m: Module, refusal: Signal, size: Signal) -> None:
        command = self.command
        unsupported = Signal()
        m.d.comb += unsupported.eq(
            ((command.output == Output.GROUPS) & (not self._quantize))
            | (command.accumulate & (not self._accumulate))
        )
        m.next = "STATUS"
        with m.If(~(command.rows.any() & command.groups.any() & command.channels.any())):
            m.d.sync += refusal.eq(Refusal.ZERO)
        with m.Elif(unsupported):
            m.d.sync += refusal.eq(Refusal.UNSUPPORTED)
        with m.Elif(size > self._depth):
            m.d.sync += refusal.eq(Refusal.OVERSIZED)
        with m.Else():
            m.d.comb += self.start.eq(1)
            m.next = "RUN"
