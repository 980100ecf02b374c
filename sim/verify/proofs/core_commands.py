"""The streams of the core's control: commands come, status records leave."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hdl.core import Command, Status
from hdl.core.control import WORD, Control

from ..checker import Checker
from ..reach import prove_invariants
from .harness import Harness
from .proof import COUNTED, Proof

_WORDS = Status.as_shape().size // WORD
#: Codes of docs/core.md.
_NONE, _ZERO, _OVERSIZED, _UNSUPPORTED, _FRAMING = range(5)


class ControlHarness(Harness):
    """Around a control; the core's other blocks are free inputs.

    The mark is in every bit of a command's tag. Of the record, one word, whichever, is all ones.

    Parameters
    ----------
    accumulate, quantize : bool
        What the control is built for.
    """

    rows, depth = 2, 4
    # A beat is taken, a factor and the product of two bits are computed, the sizes compared.
    patience = 6

    def __init__(self, accumulate: bool, quantize: bool):
        self._accumulate, self._quantize = accumulate, quantize
        flags = ("command", "start", "early", "clear", "running")
        seen = ("run", "framing", "refused", "next", *(f"code_{code}" for code in range(5)))
        super().__init__(
            last=In(1),
            sizes=In(3 * 2),
            output=In(1),
            accumulate=In(1),
            done=In(1),
            busy=In(1),
            which=In(range(_WORDS)),
            **{f"bad_{name}": Out(1) for name in flags},
            **{f"cover_{name}": Out(1) for name in seen},
        )

    def elaborate(self, platform):
        """Compare with the phases of a command."""
        m = Module()
        m.submodules.unit = unit = Control(
            rows=self.rows,
            depth=self.depth,
            accumulate=self._accumulate,
            quantize=self._quantize,
        )
        offered, taken = self._offer(m, unit)
        # Phases: a frame is open, the check, the run, the status; none of them is idle.
        framing, checking, running = Signal(), Signal(), Signal()
        sending, word = Signal(), Signal(range(_WORDS))
        sent, refusal = Signal(Command), Signal(3)
        idle = ~(framing | checking | running | sending)
        finished = Signal()
        status, leaves = unit.status.payload, unit.status.valid & unit.status.ready
        over = running & finished & ~self.busy
        with m.If(taken & idle):
            m.d.sync += [sent.eq(offered), finished.eq(0), word.eq(0)]
            m.d.sync += [framing.eq(~self.last), checking.eq(self.last)]
            m.d.sync += refusal.eq(Mux(self.last, self._refusal(offered), _FRAMING))
        with m.If(taken & framing & self.last):
            m.d.sync += [framing.eq(0), sending.eq(1)]
        with m.If(checking & unit.start):
            m.d.sync += [checking.eq(0), running.eq(1)]
        with m.If(checking & unit.status.valid):
            m.d.sync += [checking.eq(0), sending.eq(1)]
        with m.If(running):
            m.d.sync += finished.eq(finished | self.done)
        with m.If(over):
            m.d.sync += [running.eq(0), sending.eq(1)]
        with m.If(leaves):
            m.d.sync += word.eq(word + 1)
            with m.If(word == _WORDS - 1):
                m.d.sync += sending.eq(0)

        legal = refusal == _NONE
        may_send = sending | (checking & ~legal)
        m.d.comb += [
            # While idle every beat is taken, in an open frame too, and else none.
            self.bad_surplus.eq(unit.commands.ready != (idle | framing)),
            self.bad_clear.eq(unit.clear != (taken & idle)),
            self.bad_running.eq(
                unit.running != (framing | (checking & ~unit.status.valid) | running)
            ),
            self.bad_start.eq(unit.start & ~(checking & legal)),
            self.bad_early.eq((unit.status.valid & ~may_send) | (sending & ~unit.status.valid)),
            self.bad_command.eq(~idle & (unit.command.as_value() != sent.as_value())),
            self.bad_order.eq(
                unit.status.valid
                & (
                    (status.data != self._word(unit, word, sent, refusal))
                    | (status.last != (word == _WORDS - 1))
                )
            ),
        ]
        self._cover(m, unit, sent, refusal, leaves & (word == _WORDS - 1))
        self.watch_output(m, unit.status.valid, unit.status.ready, status.as_value())
        # A run lasts until the last result and the ends of all frames have come.
        willing = (
            (self.offer | ~unit.commands.ready)
            & (self.take | ~unit.status.valid)
            & (~running | ((finished | self.done) & ~self.busy))
        )
        moved = taken | unit.start | over | leaves
        self.watch_progress(m, willing, moved)
        return m

    def _offer(self, m: Module, unit: Control) -> tuple[Value, Value]:
        """Drive the unit; return the command offered, and whether it is taken."""
        command = Signal(Command)
        m.d.comb += [
            command.rows.eq(self.sizes[0:2]),
            command.groups.eq(self.sizes[2:4]),
            command.channels.eq(self.sizes[4:6]),
            command.tag.eq(self.mark.replicate(8)),
            command.output.as_value().eq(self.output),
            command.accumulate.eq(self.accumulate),
        ]
        which = Signal.like(self.which)
        # Counters stand still while no command runs.
        with m.If(~unit.status.valid):
            m.d.sync += which.eq(self.which)
        record = Cat((which == word).replicate(WORD) for word in range(_WORDS))
        m.d.comb += [
            unit.commands.valid.eq(self.offer),
            unit.commands.payload.data.eq(command),
            unit.commands.payload.last.eq(self.last),
            unit.status.ready.eq(self.take),
            unit.done.eq(self.done),
            unit.busy.eq(self.busy),
            unit.record.as_value().eq(record),
        ]
        self._which = which
        ready = unit.commands.ready
        offered = Cat(command, self.last)
        waited, held = Signal(), Signal.like(offered)
        m.d.sync += [waited.eq(self.offer & ~ready), held.eq(offered)]
        m.d.comb += self.assume.eq(~waited | (self.offer & (held == offered)))
        return command, self.offer & ready

    def _refusal(self, command) -> Value:
        """Return the refusal after docs/core.md."""
        needs = Mux(command.rows < self.rows, command.rows, self.rows) * command.groups
        empty = (command.rows == 0) | (command.groups == 0) | (command.channels == 0)
        unsupported = (command.output.as_value() & (not self._quantize)) | (
            command.accumulate & (not self._accumulate)
        )
        oversized = Mux(needs > self.depth, _OVERSIZED, _NONE)
        return Mux(empty, _ZERO, Mux(unsupported, _UNSUPPORTED, oversized))

    def _word(self, unit: Control, word, sent, refusal) -> Value:
        """Return the word of the status that is due."""
        others = (self._which == word).replicate(WORD)
        first = Cat(sent.tag, refusal, Signal(5), others[16:])
        return Mux(word == 0, first, others)

    def _cover(self, m: Module, unit: Control, sent, refusal, ends) -> None:
        """Cover the ends of commands that ran, that did not, and of one after another."""
        before = Signal()
        with m.If(ends):
            m.d.sync += before.eq(1)
        m.d.comb += [
            self.cover_mark.eq(ends & sent.tag[0]),
            self.cover_full.eq(unit.start & (sent.rows == 3) & (sent.groups == 2)),
            self.cover_run.eq(ends & (refusal == _NONE)),
            self.cover_refused.eq(ends & (refusal != _NONE)),
            self.cover_framing.eq(ends & (refusal == _FRAMING)),
            self.cover_next.eq(ends & before & (refusal == _NONE)),
        ]
        m.d.comb += [
            getattr(self, f"cover_code_{code}").eq(ends & (refusal == code)) for code in range(5)
        ]


def control(check: Checker) -> None:
    """Check the control."""
    prove_invariants(check, ControlHarness(accumulate=True, quantize=False))


PROOFS = [
    Proof(
        "streams of the control",
        "Control",
        "Every frame of commands, of one beat or more, gives one start or none, as its first beat "
        "is legal or not, and one record of ten words in order, TLAST on the tenth; the command "
        "holds still all the while and no other is taken; a record waits for done and the ends of "
        "all frames; clear and running are right; words hold still while they wait; something "
        "moves within 6 cycles while commands come, words are taken and the run is over.",
        COUNTED,
        "commands of 0 to 3 rows, groups and channels, blocks of two rows, 4 groups, accumulate "
        "built and quantize not; the counters stand still while a record leaves",
        control,
        (
            "core: no room checked",
            "core: one row forgotten in the size",
            "control: the record ends a word early",
            "control: done is forgotten while frames end",
        ),
        quick=False,
    ),
]
