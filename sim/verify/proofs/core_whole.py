"""The core as a whole, around any tile that keeps its contracts."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import In, Out

from hdl import formats
from hdl.core import Command, core
from hdl.tile import SystolicTile

from ..checker import Checker
from ..cuts import replaced
from ..reach import prove_invariants
from .core_harness import RowPlace
from .harness import Harness
from .proof import COUNTED, Proof

_SIZES = data.StructLayout({"rows": 2, "groups": 2, "channels": 2})
_STREAMS = ("commands", "activations", "weights")


class AnyTile(SystolicTile):
    """A tile without arithmetic, as fast or slow as free inputs make it.

    Every pass of rows uses up a set of weights, every beat with ``last`` makes a result; two
    sets and two results are inside at most.

    Attributes
    ----------
    may : Signal
        Whether it may take a beat, take a word and offer a result.
    """

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.may = Signal(3)

    def elaborate(self, platform):
        """Count words, and results."""
        m = Module()
        words, waiting = Signal(range(2 * self.columns + 1)), Signal(range(3))
        begins, held = Signal(init=1), Signal()
        beat = self.activations.payload
        entering = self.activations.valid & self.activations.ready
        takes = self.weights.valid & self.weights.ready
        leaving = self.results.valid & self.results.ready
        complete = ~begins | (words >= self.columns)
        m.d.comb += [
            self.activations.ready.eq(self.may[0] & complete & (~beat.last | (waiting < 2))),
            self.weights.ready.eq(self.may[1] & (words < 2 * self.columns)),
            self.results.valid.eq((waiting > 0) & (self.may[2] | held)),
        ]
        m.d.sync += [
            words.eq(words + takes - Mux(entering & begins, self.columns, 0)),
            waiting.eq(waiting + (entering & beat.last) - leaving),
            held.eq(self.results.valid & ~self.results.ready),
        ]
        with m.If(entering):
            m.d.sync += begins.eq(beat.end)
        return m


class CoreHarness(Harness):
    """Around a core; hosts offer and take as they like, and end their frames where they like.

    What is offered may even change before it is taken: nothing depends on it.
    """

    columns, rows, depth = 2, 2, 4
    sizes = (3, 2, 3)
    patience = 8

    def __init__(self):
        seen = ("refused", "next", "drop", "fill")
        super().__init__(
            **{f"offer_{name}": In(1) for name in _STREAMS},
            **{f"last_{name}": In(1) for name in _STREAMS},
            given=In(_SIZES),
            may=In(3),
            take_status=In(1),
            bad_frames=Out(1),
            bad_status=Out(1),
            **{f"cover_{name}": Out(1) for name in seen},
        )

    def elaborate(self, platform):
        """Follow each command from its first beat to the last word of its status."""
        m = Module()
        m.submodules.unit = unit = core.GemmCore(
            formats.get("mxfp4"), columns=self.columns, rows=self.rows, buffer_groups=self.depth
        )
        taken = self._offer(m, unit)
        leaves = unit.results.valid & unit.results.ready
        told = unit.status.valid & unit.status.ready
        held, busy, legal = Signal(_SIZES), Signal(), Signal()
        begins, ends = taken["commands"] & ~busy, told & unit.status.payload.last
        with m.If(begins):
            m.d.sync += [held.eq(self.given), busy.eq(1), legal.eq(self._legal())]
        with m.If(ends):
            m.d.sync += busy.eq(0)
        place = RowPlace(held, self)
        place.follow_rows(m, begins & self._legal(), leaves)
        m.d.comb += [
            self.assume.eq(1),
            self.bad_frames.eq(self._misread(m, unit, taken, begins, busy & legal, legal)),
            self.bad_order.eq(unit.results.valid & (unit.results.payload.last != place.final)),
            self.bad_surplus.eq(unit.results.valid & ~place.running),
            self.bad_status.eq(unit.status.valid & (place.running | ~busy)),
        ]
        self.watch_output(m, unit.results.valid, self.take, unit.results.payload.last)
        self._cover(m, held, legal, taken, place, ends)
        beat = unit.tile.activations.valid & unit.tile.activations.ready
        word = unit.tile.weights.valid & unit.tile.weights.ready
        offers = Cat(getattr(self, f"offer_{name}") for name in _STREAMS)
        willing = offers.all() & self.may.all() & self.take & self.take_status
        self.watch_progress(m, willing, Cat(*taken.values(), beat, word, leaves, told).any())
        return m

    def _offer(self, m: Module, unit: core.GemmCore) -> dict[str, Value]:
        """Drive the core; return whether a beat of each stream is taken."""
        command = Signal(Command)
        m.d.comb += [command[name].eq(self.given[name]) for name in _SIZES.members]
        m.d.comb += [
            unit.commands.payload.data.eq(command),
            unit.tile.may.eq(self.may),
            unit.results.ready.eq(self.take),
            unit.status.ready.eq(self.take_status),
        ]
        taken = {}
        for name in _STREAMS:
            port, offer = getattr(unit, name), getattr(self, f"offer_{name}")
            last = getattr(self, f"last_{name}")
            m.d.comb += [port.valid.eq(offer), port.payload.last.eq(last)]
            taken[name] = offer & port.ready
        return taken

    def _legal(self) -> Value:
        """Whether the command that is offered is to be carried out."""
        given = self.given
        least = Mux(given.rows < self.rows, given.rows, self.rows)
        sizes = Cat(given[name] > 0 for name in _SIZES.members)
        return sizes.all() & (least * given.groups <= self.depth) & self.last_commands

    def _misread(self, m: Module, unit: core.GemmCore, taken, begins, runs, legal) -> Value:
        """Whether a stream of data has anything but one frame in a command that runs."""
        wrong = []
        for name in ("activations", "weights"):
            over = Signal(name=f"over_{name}")
            with m.If(taken[name] & getattr(self, f"last_{name}")):
                m.d.sync += over.eq(1)
            with m.If(begins):
                m.d.sync += over.eq(0)
            wrong += [taken[name] & (over | ~runs), unit.status.valid & (over != legal)]
        return Cat(wrong).any()

    def _cover(self, m: Module, held, legal, taken, place: RowPlace, ends) -> None:
        """Cover commands that end, run or refused, with frames of all lengths."""
        before, first, short = Signal(), Signal(), Signal()
        with m.If(ends):
            m.d.sync += before.eq(1)
        with m.If(taken["commands"]):
            m.d.sync += [first.eq(1), short.eq(0)]
        with m.If(taken["activations"]):
            m.d.sync += [first.eq(0), short.eq(first & self.last_activations & (held.rows > 2))]
        m.d.comb += [
            self.cover_mark.eq(ends & legal),
            self.cover_refused.eq(ends & ~legal),
            self.cover_next.eq(ends & legal & before),
            self.cover_drop.eq(taken["weights"] & ~place.running),
            self.cover_fill.eq(ends & short),
            self.cover_full.eq(
                ends & legal & (held.rows == 3) & (held.groups == 2) & (held.channels == 3)
            ),
        ]


def whole(check: Checker) -> None:
    """Check a small core."""
    with replaced(core, "SystolicTile", AnyTile):
        prove_invariants(check, CoreHarness())


PROOFS = [
    Proof(
        "streams of the core",
        "GemmCore",
        "Whatever a host sends: a command that is legal consumes one frame of activations and one "
        "of weights, each up to TLAST, and gives its rows of results, TLAST on the last, and after "
        "them a status; a command that is refused gives a status only. Something moves within 8 "
        "cycles while hosts and tile are willing: there is no deadlock.",
        COUNTED,
        "data do not steer the core and are zero here; the tile is a stub without arithmetic, as "
        "slow as it likes, with room for two sets of weights and two results; commands of 0 to 3 "
        "rows, groups and channels; two columns, blocks of two rows, 4 groups, neither accumulate "
        "nor quantize",
        whole,
        (
            "core: a short frame goes on",
            "core: a narrow tile takes weights of the next",
            "activation buffer: the last block ends the frame early",
        ),
        quick=False,
    ),
]
