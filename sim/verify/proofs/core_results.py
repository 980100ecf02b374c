"""The streams of the core's result stage."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl import formats
from hdl.core import Output, results
from hdl.quantizer import QuantizationEngine
from hdl.quantizer.encode import SUBGROUP
from hdl.quantizer.pipeline import Pipeline

from ..checker import Checker
from ..cuts import replaced
from ..reach import prove_invariants
from .core_harness import HELD, CommandHarness, RowPlace
from .engine_streams import MarkEncoder
from .proof import COUNTED, OPAQUE, Proof


def _word(mark, nan):
    """Return an FP32 sum: the mark is its sign and all bits below those that say NaN."""
    return Cat(mark.replicate(22), nan.replicate(9), mark)


class SumsHarness(CommandHarness):
    """Around a result stage that is not built to quantize."""

    patience = 1
    sizes = (5, 1, 5)

    def __init__(self):
        flags = {f"bad_{name}": Out(1) for name in ("keep", "last", "nans")}
        super().__init__(nan=In(self.columns), **flags, cover_nans=Out(1))

    def elaborate(self, platform):
        """Compare every row with its place."""
        m = Module()
        m.submodules.unit = unit = results.ResultStage(
            formats.get("mxfp4"), columns=self.columns, rows=self.rows, quantize=False
        )
        running = Signal()
        held, start = self.command(m, unit, running)
        place = RowPlace(held, self)
        beat = unit.results.payload
        leaves = unit.results.valid & unit.results.ready
        place.follow_rows(m, start, leaves)
        exists = Cat(place.tile + i < held.channels for i in range(self.columns))
        sent = Cat(_word(self.mark, nan) for nan in self.nan)
        nans = Signal(range(self.columns + 1))
        m.d.sync += nans.eq(Mux(self.offer & self.take, sum(self.nan & exists), 0))
        m.d.comb += [
            running.eq(place.running),
            unit.sums.valid.eq(self.offer),
            unit.sums.payload.eq(sent),
            unit.results.ready.eq(self.take),
            # The tile gives no more rows than the command has.
            self.assume.eq(self.held_offer(m, unit.sums.ready, self.nan) & (running | ~self.offer)),
            self.bad_order.eq(unit.results.valid & (beat.data != sent)),
            self.bad_surplus.eq(
                (unit.results.valid != self.offer) | (unit.sums.ready != self.take)
            ),
            self.bad_keep.eq(
                unit.results.valid & (beat.keep != Cat(bit.replicate(4) for bit in exists))
            ),
            self.bad_last.eq(
                (unit.results.valid & (beat.last != place.final))
                | (unit.done != (leaves & place.final))
            ),
            self.bad_nans.eq(unit.nans != nans),
            self.cover_mark.eq(leaves & self.mark),
            self.cover_nans.eq(unit.nans == self.columns),
            self.cover_full.eq(leaves & place.final & self.largest(held)),
        ]
        self.watch_output(m, unit.results.valid, unit.results.ready, beat.as_value())
        self.watch_progress(m, running & self.offer & self.take, leaves)
        return m


class MarkEngine(wiring.Component):
    """Stands for a quantization engine of 32 lanes: its pipeline, around encoders of a mark.

    The marks of a group are the signs of its lanes 7, 15, 23 and 31.
    """

    def __init__(self, format: formats.Format):
        self._format = format
        super().__init__(QuantizationEngine(format).signature)

    def elaborate(self, platform):
        """Hand on the signs of all lanes."""
        m = Module()
        lanes = self._format.lanes
        m.submodules.pipeline = pipeline = Pipeline(self._format, lanes, lambda: MarkEncoder(0))
        m.d.comb += [
            pipeline.i.valid.eq(self.values.valid),
            self.values.ready.eq(pipeline.i.ready),
            pipeline.i.payload.largest.eq(100),
        ]
        for lane in range(lanes):
            sign = self.values.payload[lane][31]
            m.d.comb += pipeline.i.payload.lanes[lane].sign.eq(sign)
        wiring.connect(m, pipeline.o, wiring.flipped(self.groups))
        return m


class GroupsHarness(CommandHarness):
    """Around a result stage with two engines; each command chooses its output.

    The mark is in all columns of the first engine, and its complement in those of the second; a
    NaN is in the first of each.
    """

    columns = 64
    depth = 2
    patience = 3
    sizes = (3, 1, 97)
    options = {"output": 1}  # noqa: RUF012

    def __init__(self):
        flags = {f"bad_{name}": Out(1) for name in ("engines", "sums", "keep", "last", "nans")}
        seen = {f"cover_{name}": Out(1) for name in ("nans", "switch", "end")}
        super().__init__(nan=In(1), **flags, **seen)

    def elaborate(self, platform):
        """Compare every row with its place, when it enters and when it leaves."""
        m = Module()
        format = formats.get("mxfp4")
        m.submodules.unit = unit = results.ResultStage(
            format, columns=self.columns, rows=self.rows, quantize=True
        )
        running = Signal()
        held, start = self.command(m, unit, running)
        into, place = RowPlace(held, self), RowPlace(held, self)
        beat = unit.results.payload
        entering = unit.sums.valid & unit.sums.ready
        leaving = unit.results.valid & unit.results.ready
        into.follow_rows(m, start, entering)
        place.follow_rows(m, start, leaving)
        groups = held.output == Output.GROUPS.value
        half = self.columns // 2
        sent = Cat(
            *(_word(self.mark, self.nan & (column == 0)) for column in range(half)),
            *(_word(~self.mark, self.nan & (column == 0)) for column in range(half)),
        )
        nans = Signal(2)
        m.d.sync += nans.eq(Mux(entering & self.nan, 1 + (into.channels > half), 0))
        # As many channels as fill some groups, or one more.
        obeys = (
            self.held_offer(m, unit.sums.ready, self.nan)
            & (into.running | ~self.offer)
            & (self.given.channels[1:5] == 0)
        )
        words = data.View(data.ArrayLayout(format.group, 2), beat.data[: 2 * format.group.size])
        signs = [
            Cat(word.elements[lane].sign for lane in range(0, format.lanes, SUBGROUP))
            for word in words
        ]
        found = signs[0][0]
        self.watch(m, entering & groups, leaving & groups, [found], assuming=obeys)
        m.d.comb += [
            running.eq(place.running),
            unit.sums.valid.eq(self.offer),
            unit.sums.payload.eq(sent),
            unit.results.ready.eq(self.take),
            self.bad_engines.eq(
                leaving & groups & ((signs[0] != found.replicate(4)) | (signs[1] != ~signs[0]))
            ),
            self.bad_sums.eq(
                ~groups
                & (
                    (unit.results.valid != self.offer)
                    | (unit.sums.ready != self.take)
                    | (unit.results.valid & (beat.data != sent))
                )
            ),
            self.bad_keep.eq(
                unit.results.valid & (beat.keep != self._keep(format, held, place, groups))
            ),
            self.bad_last.eq(
                (unit.results.valid & (beat.last != place.final))
                | (unit.done != (leaving & place.final))
            ),
            self.bad_nans.eq(unit.nans != nans),
            self.cover_nans.eq(unit.nans == 2),
            self.cover_end.eq(leaving & groups & place.final & self.largest(held)),
        ]
        self._cover_switch(m, leaving, place, groups)
        # TKEEP and TLAST are those of the place, which stays.
        self.watch_output(m, unit.results.valid, unit.results.ready, Cat(found, beat.last))
        willing = running & self.take & (self.offer | ~into.running)
        self.watch_progress(m, willing, entering | leaving)
        return m

    def _keep(self, format, held, place, groups):
        """Return TKEEP after docs/core.md."""
        kept = format.group.size // 8
        of_groups = Cat(
            (place.tile + first < held.channels).replicate(kept)
            for first in range(0, self.columns, format.lanes)
        )
        of_sums = Cat(
            (place.tile + column < held.channels).replicate(4) for column in range(self.columns)
        )
        return Mux(groups, of_groups, of_sums)

    def _cover_switch(self, m: Module, leaving, place, groups) -> None:
        """Cover sums of a command after one of groups."""
        before = Signal()
        with m.If(leaving & groups & place.final):
            m.d.sync += before.eq(1)
        m.d.comb += self.cover_switch.eq(leaving & ~groups & before)


def sums(check: Checker) -> None:
    """Check rows of FP32 sums."""
    prove_invariants(check, SumsHarness())


def groups(check: Checker) -> None:
    """Check rows of either kind, with two engines."""
    with replaced(results, "QuantizationEngine", MarkEngine):
        prove_invariants(check, GroupsHarness())


PROOFS = [
    Proof(
        "stream of the results, FP32",
        "ResultStage",
        "Rows leave unchanged in the cycle they come; TLAST and done come with the last row of the "
        "command and no other; TKEEP covers the channels that exist; nans counts the NaN among "
        "these of the row taken a cycle ago.",
        COUNTED,
        f"{HELD}; no more rows come than the command has; NaN sums are quiet, as the "
        "accumulator's; 1 to 5 rows, 1 to 5 channels; two columns, blocks of two rows",
        sums,
        (
            "core: TLAST with every last row of a tile",
            "core: TKEEP of a whole tile",
            "result stage: NaN of padding are counted",
        ),
    ),
    Proof(
        "stream of the results, quantized",
        "ResultStage",
        "Each command has the output it asks for: sums in the cycle they come, or groups, in "
        "order, none lost, duplicated or invented. Both engines give their halves of the same row, "
        "so one may speak for both. TLAST, done, TKEEP of sums and groups, and nans are right; "
        "beats hold still while they wait; something moves within 3 cycles while both sides are "
        "willing.",
        COUNTED + "; one marked row, whichever, is followed",
        f"{HELD}; {OPAQUE}; the engines are their own pipelines without arithmetic; no more rows "
        "come than the command has; NaN sums are quiet and in the columns 0 and 32; 1 to 3 rows; "
        "1, 32, 33, 64, 65, 96 or 97 channels; 64 columns, blocks of two rows",
        groups,
        (
            "core: TLAST with every last row of a tile",
            "result stage: engines beside each other stall apart",
            "result stage: NaN are counted as beats leave",
        ),
        quick=False,
    ),
]
