"""The streams of the core that add no cycle: frames, the feeders of weights and of C."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import In, Out

from hdl.core.frame import Frame
from hdl.core.initial import InitialFeeder
from hdl.core.weights import WeightFeeder

from ..checker import Checker
from ..reach import prove_invariants
from .core_harness import HELD, CommandHarness, Place, RowPlace
from .harness import Harness
from .proof import COUNTED, Proof


class FrameHarness(Harness):
    """Around a frame; every input is free, in every cycle.

    Two flags say what is outstanding: the host's TLAST, and the final beat that is asked for.
    """

    patience = 1

    def __init__(self):
        flags = ("flags", "stalled", "twice", "busy")
        seen = ("early", "late", "drop", "fill", "absent")
        super().__init__(
            **{name: In(1) for name in ("start", "absent", "final", "last")},
            **{f"bad_{name}": Out(1) for name in flags},
            **{f"cover_{name}": Out(1) for name in seen},
        )

    def elaborate(self, platform):
        """Compare with the two flags."""
        m = Module()
        m.submodules.unit = unit = Frame(2)
        host, asked, absent = Signal(), Signal(), Signal()
        taken = unit.i.valid & unit.i.ready
        leaves = unit.o.valid & unit.o.ready
        m.d.comb += [
            unit.i.valid.eq(self.offer),
            unit.i.payload.data.eq(self.mark.replicate(2)),
            unit.i.payload.last.eq(self.last),
            unit.o.ready.eq(self.take),
            unit.start.eq(self.start),
            unit.absent.eq(self.absent),
            unit.final.eq(self.final),
        ]
        with m.If(taken & self.last):
            m.d.sync += host.eq(0)
        with m.If(leaves & self.final):
            m.d.sync += asked.eq(0)
        # A start while busy does nothing.
        with m.If(self.start & ~host & ~asked):
            m.d.sync += [asked.eq(1), host.eq(~self.absent), absent.eq(self.absent)]
        sent = Mux(host, self.mark.replicate(2), 0)
        early, late = (
            taken & asked & self.last & ~self.final,
            leaves & host & self.final & ~self.last,
        )
        m.d.comb += [
            # A beat leaves if one is asked for: the host's own in that cycle, or zeros.
            self.bad_surplus.eq(unit.o.valid != (asked & (~host | self.offer))),
            self.bad_order.eq(unit.o.valid & (unit.o.payload != sent)),
            self.bad_flags.eq((unit.early != early) | (unit.late != late)),
            self.bad_busy.eq(
                (unit.busy != (host | asked)) | (unit.i.ready != (host & (~asked | self.take)))
            ),
            self.bad_stalled.eq(unit.stalled != (unit.i.ready & ~self.offer)),
            self.cover_mark.eq(leaves & host & self.mark & ~self.last),
            self.cover_full.eq(taken & leaves & self.last & self.final),
            self.cover_early.eq(unit.early),
            self.cover_late.eq(unit.late),
            self.cover_drop.eq(taken & ~asked & self.mark),
            self.cover_fill.eq(leaves & ~host & ~absent),
            self.cover_absent.eq(leaves & ~host & absent),
        ]
        self._watch_frame(m, unit, taken, leaves)
        return m

    def _watch_frame(self, m: Module, unit: Frame, taken, leaves) -> None:
        """Watch what lasts: complaints of a frame, payloads that wait, progress."""
        complained = Signal()
        with m.If(unit.early | unit.late):
            m.d.sync += complained.eq(1)
        with m.If(~unit.busy):
            m.d.sync += complained.eq(0)
        m.d.comb += self.bad_twice.eq(
            (complained & (unit.early | unit.late)) | (unit.early & unit.late)
        )
        waited, held = Signal(), Signal(2)
        offered = Cat(self.mark, self.last)
        m.d.sync += [waited.eq(self.offer & ~unit.i.ready), held.eq(offered)]
        m.d.comb += self.assume.eq(~waited | (self.offer & (held == offered)))
        self.watch_output(m, unit.o.valid, unit.o.ready, unit.o.payload)
        self.watch_progress(m, unit.busy & self.offer & self.take, taken | leaves)


class WeightHarness(CommandHarness):
    """Around the feeder of weights, beside a count of blocks, tiles, groups and columns."""

    patience = 1

    def __init__(self):
        super().__init__(bad_final=Out(1), cover_zeros=Out(1))

    def elaborate(self, platform):
        """Compare every word with its place."""
        m = Module()
        m.submodules.unit = unit = WeightFeeder(2, columns=self.columns, rows=self.rows)
        running = Signal()
        held, start = self.command(m, unit, running)
        place = Place(held, self)
        group, column = Signal.like(held.groups), Signal(range(self.columns))
        leaves = unit.o.valid & unit.o.ready
        last_column, last_group = column == self.columns - 1, group + 1 == held.groups
        place.follow(m, start, leaves & last_column & last_group)
        with m.If(leaves):
            m.d.sync += column.eq(Mux(last_column, 0, column + 1))
            with m.If(last_column):
                m.d.sync += group.eq(Mux(last_group, 0, group + 1))
        exists = place.tile + column < held.channels
        final = place.last & last_group & (place.tile + column + 1 == held.channels)
        sent = Mux(exists, self.mark.replicate(2), 0)
        m.d.comb += [
            running.eq(place.running),
            unit.i.valid.eq(self.offer),
            unit.i.payload.eq(self.mark.replicate(2)),
            unit.o.ready.eq(self.take),
            self.assume.eq(self.held_offer(m, unit.i.ready)),
            self.bad_order.eq(unit.o.valid & (unit.o.payload != sent)),
            self.bad_surplus.eq(
                (unit.o.valid != (running & (~exists | self.offer)))
                | (unit.i.ready != (running & exists & self.take))
            ),
            self.bad_final.eq(running & (unit.final != final)),
            self.cover_mark.eq(leaves & exists & self.mark),
            self.cover_zeros.eq(leaves & ~exists & self.offer & self.mark),
            self.cover_full.eq(leaves & place.last & last_group & last_column & self.largest(held)),
        ]
        self.watch_output(m, unit.o.valid, unit.o.ready, unit.o.payload)
        self.watch_progress(m, running & self.offer & self.take, leaves)
        return m


class InitialHarness(CommandHarness):
    """Around the feeder of C, beside a count of blocks, tiles and rows."""

    patience = 1

    def __init__(self):
        super().__init__(bad_final=Out(1))

    def elaborate(self, platform):
        """Compare every row with its place."""
        m = Module()
        m.submodules.unit = unit = InitialFeeder(columns=self.columns, rows=self.rows)
        running = Signal()
        held, start = self.command(m, unit, running)
        place = RowPlace(held, self)
        leaves = unit.o.valid & unit.o.ready
        place.follow_rows(m, start, leaves)
        sent = self.mark.replicate(len(unit.i.payload))
        m.d.comb += [
            running.eq(place.running),
            unit.i.valid.eq(self.offer),
            unit.i.payload.eq(sent),
            unit.o.ready.eq(self.take),
            # A frame offers nothing when it is over.
            self.assume.eq(self.held_offer(m, unit.i.ready) & (running | ~self.offer)),
            self.bad_order.eq(unit.o.valid & (unit.o.payload != sent)),
            self.bad_surplus.eq((unit.o.valid != self.offer) | (unit.i.ready != self.take)),
            self.bad_final.eq(running & (unit.final != place.final)),
            self.cover_mark.eq(leaves & self.mark),
            self.cover_full.eq(leaves & place.final & self.largest(held)),
        ]
        self.watch_output(m, unit.o.valid, unit.o.ready, unit.o.payload)
        self.watch_progress(m, running & self.offer & self.take, leaves)
        return m


def frame(check: Checker) -> None:
    """Check a frame."""
    prove_invariants(check, FrameHarness())


def weight_feeder(check: Checker) -> None:
    """Check the feeder of weights."""
    prove_invariants(check, WeightHarness())


def initial_feeder(check: Checker) -> None:
    """Check the feeder of C."""
    prove_invariants(check, InitialHarness())


PROOFS = [
    Proof(
        "stream of a frame",
        "Frame",
        "From start on, until TLAST has come and the final beat has left, the host's beats leave, "
        "each in the cycle it is taken; after an early TLAST zeros leave; after the final beat "
        "those up to TLAST are dropped; without a frame all are zeros; no beat of the next frame "
        "is taken. early and late rise once, exactly when they should; stalled means ready and "
        "none offered; a payload holds still while it waits; one moves in every cycle while both "
        "sides are willing.",
        COUNTED,
        "the host's beats hold still while they wait; nothing of start, absent and final",
        frame,
        (
            "core: surplus beats are kept",
            "core: a short frame goes on",
            "frame: TLAST in time is late",
            "frame: waiting for TLAST is no stall",
        ),
    ),
    Proof(
        "stream of the weight feeder",
        "WeightFeeder",
        "Block by block, tile by tile, group by group, column by column: a weight of a channel "
        "that exists is the input's of that cycle, the others are zeros and take none; final comes "
        "with the last that exists and no other; after that nothing moves; a payload holds still "
        "while it waits; one moves in every cycle while both sides are willing.",
        COUNTED,
        f"{HELD}; 1 to 5 rows, 1 to 3 groups, 1 to 5 channels; two columns, blocks of two rows",
        weight_feeder,
        (
            "core: a narrow tile takes weights of the next",
            "weight feeder: padding waits for a weight",
            "weight feeder: final in the last column only",
        ),
    ),
    Proof(
        "stream of the feeder of C",
        "InitialFeeder",
        "Rows pass unchanged in the cycle they come; final comes with the last row of the command "
        "and no other.",
        COUNTED,
        f"{HELD}; nothing is offered after the last row, as the proof of a frame shows; "
        "1 to 5 rows, 1 to 5 channels; two columns, blocks of two rows",
        initial_feeder,
        (
            "core: a short block is as long as a full one",
            "feeder of C: every block is the last",
        ),
    ),
]
