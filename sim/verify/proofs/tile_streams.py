"""The streams of the systolic tile."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib.wiring import In, Out

from hdl import formats
from hdl.skew import delayed
from hdl.tile.front import TileFront
from hdl.tile.results import ResultSlots
from hdl.tile.weights import WeightStore

from ..checker import Checker
from ..reach import prove_invariants
from .harness import Harness
from .proof import CONTRACT, INDUCTION, OPAQUE, Proof


class ResultSlotsHarness(Harness):
    """Around result slots of two columns; rows enter as the tile's front lets them.

    Every column writes one cycle after the one before it. The mark is in all columns' totals. A
    row that is offered has left its slot.
    """

    slots = 3
    depth = slots + 1

    def __init__(self):
        super().__init__(bad_columns=Out(1))

    def elaborate(self, platform):
        """Reserve slots in order while there are free ones."""
        m = Module()
        columns = 2
        m.submodules.unit = unit = ResultSlots(columns, self.slots)
        used, slot = Signal(range(self.slots + 1)), Signal(range(self.slots))
        entering = self.offer & (used < self.slots)
        m.d.sync += used.eq(used + entering - unit.released)
        with m.If(entering):
            m.d.sync += slot.eq(Mux(slot == self.slots - 1, 0, slot + 1))
        write, where, mark = entering, slot, self.mark
        for column in range(columns):
            m.d.comb += [
                unit.write[column].eq(write),
                unit.slot[column].eq(where),
                unit.total[column].eq(mark),
            ]
            later = [
                Signal(len(Value.cast(v)), name=f"late_{column}_{i}")
                for i, v in enumerate((write, where, mark))
            ]
            m.d.sync += [a.eq(b) for a, b in zip(later, (write, where, mark), strict=True)]
            write, where, mark = later
        results = unit.results
        leaving = results.valid & results.ready
        m.d.comb += results.ready.eq(self.take)
        marks = [results.payload[column][0] for column in range(columns)]
        self.watch(m, entering, leaving, [marks[0]])
        m.d.comb += self.bad_columns.eq(leaving & (marks[0] != marks[1]))
        self.watch_output(m, results.valid, results.ready, Cat(marks))
        self.watch_progress(m, self.offer & self.take, entering | leaving)
        return m


class WeightStoreHarness(Harness):
    """Around the store of sets of two words; sets are taken whenever they are complete.

    Its output is no stream: a word is there in a cycle of its own after the swap.
    """

    depth = 4

    def elaborate(self, platform):
        """Mark all elements of a word, and look at the first lane of each subgroup."""
        m = Module()
        columns = 2
        m.submodules.unit = unit = WeightStore(formats.get("mxfp4"), columns)
        m.d.comb += [
            unit.words.valid.eq(self.offer),
            Value.cast(unit.words.payload).eq(
                self.mark.replicate(len(Value.cast(unit.words.payload)))
            ),
            unit.swap.eq(unit.complete & self.take),
        ]
        left = Signal(range(columns + 1))
        m.d.sync += left.eq(Mux(unit.swap, columns, Mux(left > 0, left - 1, 0)))
        entering, leaving = unit.words.valid & unit.words.ready, left > 0
        signs = [subgroup.elements[0].sign for subgroup in unit.weight.subgroups]
        self.watch(m, entering, leaving, [signs[0]])
        m.d.comb += [
            self.bad_unstable.eq(leaving & (Cat(signs) != signs[0].replicate(len(signs)))),
            self.cover_stall.eq(unit.complete & ~self.take),
        ]
        self.watch_progress(m, self.offer & self.take, entering | leaving)
        return m


class _SlowlyDecoded(formats.Mxfp4):
    """A format of few bits whose decoding takes a cycle."""

    decode_latency = 1


class FrontHarness(Harness):
    """What both harnesses of the tile's front share: two columns, four rows, two slots."""

    columns, rows, slots, distance = 2, 4, 2, 3
    patience = 12

    def __init__(self, format: formats.Format, **members):
        self.format = format
        inputs = {name: In(1) for name in ("offer_weights", "first", "last", "end", "initial")}
        super().__init__(**inputs, **members)

    def connect(self, m: Module, unit: TileFront) -> tuple[Value, Value, Value]:
        """Drive the front; return the present row, and whether a beat and a word enter."""
        m.submodules.unit = unit
        beat, word = unit.activations.payload, unit.weights.payload.as_value()
        used, row = Signal(range(self.slots + 2)), Signal(range(self.rows + 1))
        enters = unit.activations.valid & unit.activations.ready
        m.d.comb += [
            unit.activations.valid.eq(self.offer),
            beat.group.as_value().eq(self.beat_mark.replicate(len(beat.group.as_value()))),
            beat.first.eq(self.first),
            beat.last.eq(self.last),
            # More rows than the tile has are the sender's mistake.
            beat.end.eq(self.end | (row == self.rows - 1)),
            unit.weights.valid.eq(self.offer_weights),
            word.eq(self.word_mark.replicate(len(word))),
            unit.released.eq(self.take & (used > 0)),
            unit.initial.eq(self.initial),
        ]
        reserves = enters & beat.last
        m.d.sync += used.eq(used + reserves - unit.released)
        with m.If(enters):
            m.d.sync += row.eq(Mux(beat.end, 0, row + 1))
        self.used = used
        willing = self.offer & self.offer_weights & ((used == 0) | unit.released) & self.initial
        self.watch_progress(m, willing, enters)
        return row, enters, unit.weights.valid & unit.weights.ready

    def front(self) -> TileFront:
        """Return a new front."""
        return TileFront(
            self.format,
            columns=self.columns,
            rows=self.rows,
            slots=self.slots,
            row_distance=self.distance,
        )


class FrontBeatsHarness(FrontHarness):
    """Follows the beats: one cycle later, or two, they are in ``control`` and ``operand``."""

    def __init__(self, format: formats.Format):
        self.depth = 1 + format.decode_latency
        super().__init__(
            format,
            row=In(range(self.rows)),
            bad_slots=Out(1),
            bad_initial=Out(1),
            bad_distance=Out(1),
            cover_distance=Out(1),
        )

    def elaborate(self, platform):
        """Watch one row, whichever ``row`` is at first."""
        m = Module()
        self.beat_mark, self.word_mark = self.mark, Const(0, 1)
        unit = self.front()
        row, enters, _ = self.connect(m, unit)
        control = unit.control
        sign = unit.operand.subgroups[0].elements[0].sign
        self.watch(m, enters, control.valid, [sign])
        # What travels beside a beat: its flags, its row, and slots in order.
        slot = Signal(range(self.slots))
        with m.If(enters & self.last):
            m.d.sync += slot.eq(Mux(slot == self.slots - 1, 0, slot + 1))
        begins = Signal(init=1)
        with m.If(enters):
            m.d.sync += begins.eq(unit.activations.payload.end)
        sent = {
            "valid": enters,
            "swap": begins,
            "first": self.first,
            "last": self.last,
            "row": row,
            "slot": slot,
        }
        same = Signal(control.shape())
        m.d.comb += [same[name].eq(value) for name, value in sent.items()]
        same = delayed(m, same, self.depth, "same")
        differs = control.as_value() != same.as_value()
        m.d.comb += [
            self.bad_unstable.eq((control.valid != same.valid) | (same.valid & differs)),
            self.bad_slots.eq(self.used > self.slots),
            self.bad_initial.eq(
                (unit.started != (enters & self.first)) | (unit.started & ~self.initial)
            ),
            self.cover_stall.eq(self.offer & ~unit.activations.ready),
        ]
        watched, chosen = Signal(range(self.rows)), Signal()
        with m.If(~chosen):
            m.d.sync += [watched.eq(self.row), chosen.eq(1)]
        since = Signal(range(self.distance + 1), init=self.distance)
        with m.If(enters & chosen & (row == watched)):
            m.d.sync += since.eq(1)
        with m.Elif(since < self.distance):
            m.d.sync += since.eq(since + 1)
        again = enters & chosen & (row == watched)
        m.d.comb += [
            self.bad_distance.eq(again & (since < self.distance)),
            self.cover_distance.eq(again & (since == self.distance)),
        ]
        return m


class FrontWeightsHarness(FrontHarness):
    """Follows the weights: column i has its word i cycles after a beat with a swap."""

    def __init__(self, format: formats.Format):
        self.depth = 4 + format.decode_latency
        super().__init__(format)

    def elaborate(self, platform):
        """Count the columns from each swap on."""
        m = Module()
        self.beat_mark, self.word_mark = Const(0, 1), self.mark
        unit = self.front()
        _, _, enters = self.connect(m, unit)
        left = Signal(range(self.columns + 1))
        swaps = unit.control.valid & unit.control.swap
        leaving = swaps | (left > 0)
        m.d.sync += left.eq(Mux(swaps, self.columns - 1, Mux(left > 0, left - 1, 0)))
        signs = [subgroup.elements[0].sign for subgroup in unit.weight.subgroups]
        self.watch(m, enters, leaving, [signs[0]])
        m.d.comb += [
            # The next swap waits for the last column.
            self.bad_unstable.eq(swaps & (left > 0)),
            self.cover_stall.eq(self.offer_weights & ~unit.weights.ready),
        ]
        return m


def front(check: Checker) -> None:
    """Check the tile's admission of beats and weights."""
    for format in (formats.get("mxfp4"), _SlowlyDecoded()):
        prove_invariants(check, FrontBeatsHarness(format))
        prove_invariants(check, FrontWeightsHarness(format))


def result_slots(check: Checker) -> None:
    """Check the rows of results that wait."""
    prove_invariants(check, ResultSlotsHarness())


def weight_store(check: Checker) -> None:
    """Check the next set of weights."""
    prove_invariants(check, WeightStoreHarness())


PROOFS = [
    Proof(
        "stream of the result slots",
        "ResultSlots",
        CONTRACT.format(8) + "; all columns of a row leave together.",
        INDUCTION,
        OPAQUE + "; two columns, three slots; a row enters only when a slot is free, as the "
        "proof of the tile's front shows",
        result_slots,
        ("tile: a waiting result is replaced by the next",),
    ),
    Proof(
        "stream of the weights",
        "WeightStore",
        "Words are handed out in order, each once, from the cycle after the swap; something moves "
        "within 8 cycles while words come and swaps are wanted.",
        INDUCTION,
        OPAQUE + "; two columns; swap only when complete",
        weight_store,
        ("tile: a new set starts before it is complete",),
    ),
    Proof(
        "streams of the tile's front",
        "TileFront",
        "Every beat is in control one cycle after it was taken, or two where decoding takes one, "
        "with its flags, row, swap and the next slot; never more rows reserved than slots; two "
        "beats of one row are row_distance apart; column i has its weights i cycles after a swap, "
        "in order; something moves within "
        "12 cycles while beats, weights and initial sums come and slots become free; no first beat "
        "enters without its initial sum.",
        INDUCTION,
        OPAQUE + "; two columns, four rows, two slots, row distance 3; no more rows than the tile "
        "has before end",
        front,
        (
            "tile: rows of the next pass follow too soon",
            "tile: results overwrite results that wait",
        ),
    ),
]
