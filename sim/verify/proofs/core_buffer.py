"""The streams of the core's activation buffer."""

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import Out

from hdl import formats
from hdl.core.buffer import ActivationBuffer

from ..checker import Checker
from ..reach import prove_invariants
from .core_harness import HELD, CommandHarness, Place
from .proof import COUNTED, OPAQUE, Proof


class _Load:
    """Where the loading of a command is: block, panel, row and group in the panel, counted up.

    Attributes
    ----------
    block : Signal
        Rows before the present block: all of the command when nothing is left.
    row, group : Value
        Row in the block, group along K.
    final : Value
        The present group is the command's last.
    """

    def __init__(self, held: data.View, harness: CommandHarness):
        self._held, self._rows = held, harness.rows
        most_rows, most_groups, _ = harness.sizes
        self.block = Signal(range(most_rows + harness.rows))
        self.row = Signal(range(harness.rows))
        self._panel = Signal(range(2 * most_groups))
        self._position = Signal(range(most_groups))
        self.group = self._panel + self._position
        width = Mux(held.panel == 0, held.groups, held.panel)
        self._next_panel = self._panel + width
        self._last_panel = self._next_panel >= held.groups
        self._last_group = (self._position + 1 == width) | (self.group + 1 == held.groups)
        self._last_row = (self.row + 1 == harness.rows) | (self.block + self.row + 1 == held.rows)
        self._block_ends = self._last_panel & self._last_group & self._last_row
        self.final = self._block_ends & (self.block + harness.rows >= held.rows)

    def follow(self, m: Module, start: Value, moves: Value) -> None:
        """Begin at ``start``; go on to the next group whenever one ``moves``."""
        with m.If(moves):
            m.d.sync += self._position.eq(Mux(self._last_group, 0, self._position + 1))
            with m.If(self._last_group):
                m.d.sync += self.row.eq(Mux(self._last_row, 0, self.row + 1))
                with m.If(self._last_row):
                    m.d.sync += self._panel.eq(Mux(self._last_panel, 0, self._next_panel))
            with m.If(self._block_ends):
                m.d.sync += self.block.eq(self.block + self._rows)
        with m.If(start):
            m.d.sync += self.block.eq(0)


class BufferHarness(CommandHarness):
    """Around a buffer, beside a count of what is loaded and one of what is replayed.

    One group, whichever, is marked.
    """

    sizes = (3, 3, 3)
    depth = 6
    patience = 4
    options = {"panel": range(3)}  # noqa: RUF012

    def __init__(self):
        flags = {f"bad_{name}": Out(1) for name in ("flags", "final", "early", "entered")}
        names = ("again", "later", "panel", "rest", "overlap")
        super().__init__(**flags, **{f"cover_{name}": Out(1) for name in names})

    def legal(self, held):
        """Whether a block fits."""
        return Mux(held.rows < self.rows, held.rows, self.rows) * held.groups <= self.depth

    def elaborate(self, platform):
        """Compare every group taken and every beat with its place."""
        m = Module()
        m.submodules.unit = unit = ActivationBuffer(
            formats.get("mxfp4"), columns=self.columns, rows=self.rows, depth=self.depth
        )
        running = Signal()
        held, start = self.command(m, unit, running)
        load, place = _Load(held, self), Place(held, self)
        entering, leaving = unit.groups.valid & unit.groups.ready, unit.entered
        row, group = Signal(range(self.rows)), Signal.like(held.groups)
        last_row, last_group = row + 1 == place.rows, group + 1 == held.groups
        turn = last_row & last_group
        load.follow(m, start, entering)
        with m.If(leaving):
            m.d.sync += row.eq(Mux(last_row, 0, row + 1))
            with m.If(last_row):
                m.d.sync += group.eq(Mux(last_group, 0, group + 1))

        ends = leaving & turn
        place.follow(m, start, ends)
        marked, expected = self._mark(m, load, place, entering, ends, Cat(row, group))
        beat, valid = unit.beats.payload, unit.beats.valid
        # A block is loaded when the one before has left but for its last beat.
        loaded = load.block > place.block
        over = valid & turn & place.last_tile
        flags = Cat(beat.first, beat.last, beat.end, unit.channels)
        wanted = Signal.like(flags)
        m.d.comb += wanted.eq(Cat(group == 0, last_group, last_row, place.channels))
        m.d.comb += [
            running.eq(place.running),
            unit.groups.valid.eq(self.offer),
            unit.groups.payload.eq(self.mark.replicate(len(unit.groups.payload))),
            unit.beats.ready.eq(self.take),
            self.assume.eq(self.held_offer(m, unit.groups.ready) & (~self.mark | ~marked)),
            self.bad_order.eq(
                valid & (beat.group.as_value() != expected.replicate(len(unit.groups.payload)))
            ),
            self.bad_surplus.eq(valid & ~(running & loaded)),
            self.bad_flags.eq(valid & (flags != wanted)),
            self.bad_early.eq(
                unit.groups.ready & ~(running & (load.block < held.rows) & (~loaded | over))
            ),
            self.bad_final.eq(unit.groups.ready & (unit.final != load.final)),
            self.bad_entered.eq(unit.entered != (valid & self.take)),
            self.cover_mark.eq(leaving & expected),
            self.cover_again.eq(leaving & expected & (place.tile > 0)),
            self.cover_later.eq(leaving & expected & (place.block > 0)),
            self.cover_panel.eq(leaving & expected & (held.panel == 1) & (group == 2)),
            self.cover_rest.eq(leaving & expected & (held.panel == 2) & (group == 2) & (row == 1)),
            self.cover_overlap.eq(entering & loaded & ~self.take),
            self.cover_full.eq(ends & place.last & self.largest(held)),
        ]
        self.watch_output(m, valid, self.take, Cat(beat.group.as_value(), flags))
        willing = running & self.take & (self.offer | loaded)
        self.watch_progress(m, willing, entering | leaving)
        return m

    def _mark(self, m: Module, load: _Load, place: Place, entering, ends, at):
        """Note where the marked group was loaded; return whether it was, and is due at a place."""
        marked, alive = Signal(), Signal()
        block, where = Signal.like(load.block), Signal.like(at)
        with m.If(ends & place.last_tile & (place.block == block)):
            m.d.sync += alive.eq(0)
        with m.If(entering & self.mark):
            m.d.sync += [
                marked.eq(1),
                alive.eq(1),
                block.eq(load.block),
                where.eq(Cat(load.row, load.group)),
            ]
        return marked, alive & (place.block == block) & (where == at)


def activation_buffer(check: Checker) -> None:
    """Check the activation buffer."""
    prove_invariants(check, BufferHarness())


PROOFS = [
    Proof(
        "streams of the activation buffer",
        "ActivationBuffer",
        "Groups are taken in the order of the command's panels, final with the last; every beat of "
        "every tile has the group of its row and place along K, with the right first, last, end "
        "and channels; all beats of a block leave, tile by tile, group by group, row by row, and "
        "no others; the next block is loaded when all beats but the last have left; a beat holds "
        "still while it waits; something moves within 4 cycles while both sides are willing.",
        COUNTED + "; one marked group, whichever, is followed",
        f"{HELD}; {OPAQUE}; 1 to 3 rows, 1 to 3 groups, 1 to 3 channels, panel 0 to 2, that fit; "
        "two columns, blocks of two rows, 6 groups",
        activation_buffer,
        (
            "core: panels are stored as they come",
            "core: groups overwritten while they wait",
            "activation buffer: the next block overwrites the last beats",
            "activation buffer: the last block ends the frame early",
        ),
        quick=False,
    ),
]
