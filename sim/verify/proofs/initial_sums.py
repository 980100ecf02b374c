"""The rows of sums that a tile's rows start from."""

from amaranth.hdl import Cat, Module, Mux, Signal
from amaranth.lib.wiring import Out

from hdl import formats
from hdl.column import partial_delay
from hdl.skew import delayed
from hdl.tile.initial import InitialSums

from ..checker import Checker
from ..reach import prove_invariants
from .harness import Harness
from .proof import INDUCTION, OPAQUE, Proof

_COLUMNS = 2


class InitialSumsHarness(Harness):
    """Around the store of two columns; follows the rows to one of them.

    A beat takes a row in any cycle in which one is available. Column 0 reads as late as the tile's
    control line has it, and column 1 a cycle later. All bits of the column's sum are the mark,
    those of the other the opposite, so that a sum of the other column is seen.

    Parameters
    ----------
    column : int
    """

    def __init__(self, column: int):
        self._column = column
        self._format = formats.get("mxfp4")
        # A beat is in the control line 1 + decode_latency cycles after it took its row, and column
        # 0 reads partial_delay - 1 cycles later.
        self._delay = self._format.decode_latency + partial_delay(self._format)
        # What the class promises to keep: one row a cycle, from entry to the last column.
        self.depth = _COLUMNS + self._delay + 2
        super().__init__(bad_available=Out(1), bad_room=Out(1), cover_pace=Out(1))

    def elaborate(self, platform):
        """Count rows that wait and rows that are kept, with counters that cannot wrap."""
        m = Module()
        m.submodules.unit = unit = InitialSums(self._format, _COLUMNS)
        rows, column = unit.rows, self._column
        entering = rows.valid & rows.ready
        read = delayed(m, unit.taken, self._delay, "read")
        late = delayed(m, read, _COLUMNS - 1, "late")
        reads = [read, late]
        for index in range(_COLUMNS):
            mark = self.mark if index == column else ~self.mark
            m.d.comb += [
                rows.payload[index].eq(mark.replicate(32)),
                unit.read[index].eq(reads[index]),
            ]
        waiting, kept = Signal(range(2 * self.depth)), Signal(range(2 * self.depth))
        m.d.comb += [
            rows.valid.eq(self.offer),
            # The second condition follows from the first, as long as bad_available is low.
            unit.taken.eq(self.take & unit.available & (waiting > 0)),
        ]

        sums = unit.sums[column]
        shown = delayed(m, reads[column], 1, "shown")
        self.watch(m, entering, shown, [sums[0]])
        m.d.sync += [
            waiting.eq(waiting + entering - unit.taken),
            kept.eq(kept + entering - late),
        ]
        # A cycle for the row that was taken first, then the time until its last read.
        patience = self._delay + _COLUMNS
        steady = Signal(range(patience + 1))
        m.d.sync += steady.eq(Mux(self.take, Mux(steady < patience, steady + 1, steady), 0))
        m.d.comb += [
            self.bad_unstable.eq(shown & (sums != sums[0].replicate(32))),
            self.bad_available.eq(unit.available != (waiting > 0)),
            # Of registers only: ready depends neither on valid nor on what is taken now.
            self.bad_room.eq((rows.ready != (kept < self.depth)) | (kept > self.depth)),
            self.bad_stuck.eq((steady == patience) & ~rows.ready),
            self.cover_stall.eq(rows.valid & ~rows.ready),
            self.cover_pace.eq((steady == patience) & Cat(entering, unit.taken, shown).all()),
        ]
        return m


def initial_sums(check: Checker) -> None:
    """Check the rows that sums start from, in every column."""
    for column in range(_COLUMNS):
        prove_invariants(check, InitialSumsHarness(column))


PROOFS = [
    Proof(
        "stream of the initial sums",
        "InitialSums",
        "Each read gets, a cycle later, the column's own sum of the next row, in order, so no row "
        "is overwritten before the last column has read it; a row is available exactly if it has "
        "entered and no beat has taken it; rows enter exactly while fewer than the depth are "
        "kept, and always once beats have taken rows for as long as a row takes to its last read.",
        INDUCTION,
        OPAQUE + "; two columns of mxfp4; columns read as the tile's control line has it: the "
        "first a fixed number of cycles after the row was taken, the next a cycle later",
        initial_sums,
        (
            "initial: rows are kept until the first column has read",
            "initial: all columns go on with the first",
            "initial: a row can be taken until its last column has read",
            "initial: room for less than a row a cycle",
        ),
        quick=False,
    ),
]
