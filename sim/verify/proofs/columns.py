"""Everything that a beat needs meets it in every column of the tile, in its cycle."""

import z3

from hdl import formats
from hdl.accumulator import accumulation_latency, rounding_latency
from hdl.fabric import Fabric
from hdl.formats import Format
from hdl.tile import SystolicTile
from hdl.tile.beat import control_layout
from hdl.tile.partials import Partials

from ..checker import Checker
from ..model import Model
from ..terms import field
from .proof import BIT_VECTORS, Proof
from .tile_wiring import COLUMNS, ROWS, Wiring


class _Run:
    """The tile's wiring from registers of any content, with free inputs in every cycle."""

    def __init__(self, unit: Wiring, cycles: int):
        self._model = Model(unit)
        inputs = {
            name: {cycle: z3.BitVec(f"{name}_in_{cycle}", width) for cycle in range(cycles + 1)}
            for name, width in self._model.inputs.items()
            if name not in ("clk", "rst")
        }
        self._states = self._model.run(inputs, cycles)

    def at(self, cycle: int, name: str) -> z3.BitVecRef:
        """Return what a port is in a cycle."""
        return self._model.value(self._states[cycle], name)


def composition(check: Checker, format: Format, *, initial: bool) -> None:
    """Follow the beat that is in ``control`` in cycle 0 through both columns."""
    # Elements are in a column's dot product one cycle after they are at its input.
    added = 1 + format.dot_latency + rounding_latency(format)
    written = 1 + format.dot_latency + accumulation_latency(format)
    unit = Wiring(format, initial=initial)
    run = _Run(unit, written + COLUMNS)
    slots = SystolicTile(format, columns=COLUMNS, rows=ROWS).slots
    beat = _fields(run.at(0, "TileFront_control"), control_layout(ROWS, slots))
    swap = z3.And(beat["valid"] == 1, beat["swap"] == 1)
    for i in range(COLUMNS):
        for part, delay in format.delays.items():
            what = f"{part} of column {i}"
            met = run.at(i + delay + 1, f"GroupDot_activation_{i}")
            sent = run.at(delay, "TileFront_operand")
            if part in format.activation.members:
                check.prove(f"activations: {what}", _same(format.activation, part, met, sent))
            if part not in format.weight.members:
                continue
            met, before = (run.at(i + delay + n, f"GroupDot_weight_{i}") for n in (1, 0))
            sent = run.at(i + delay, "TileFront_weight")
            check.prove(f"swapped weights: {what}", _same(format.weight, part, met, sent), swap)
            check.prove(
                f"held weights: {what}", _same(format.weight, part, met, before), z3.Not(swap)
            )
        term = 1 + i + format.dot_latency
        check.prove(
            f"term of column {i}",
            run.at(term, f"Fp32Accumulator_term_{i}") == run.at(term, f"GroupDot_term_{i}"),
        )
        _partial_sum(check, run, i, beat, i + added, initial)
        _result(check, run, i, beat, i + written)
    check.cover("a swap with a last beat", swap, beat["last"] == 1, beat["first"] == 1)
    tile_distance = SystolicTile(format, columns=COLUMNS, rows=ROWS).row_distance
    # A sum is there to be read in the cycle after it was written, and read a cycle before added.
    check.holds("distance", tile_distance + added - 1 > written, tile_distance)


def _partial_sum(check: Checker, run: _Run, i: int, beat: dict, cycle: int, initial: bool) -> None:
    """Check what the beat's term is added to, in a column and a cycle."""
    start = run.at(cycle, f"InitialSums_sums_{i}") if initial else z3.BitVecVal(0, 32)
    kept = run.at(cycle, f"Partials_read_data_{i}")
    first = beat["first"] == 1
    check.prove(
        f"row read by column {i}", run.at(cycle - 1, f"Partials_read_row_{i}") == beat["row"]
    )
    check.prove(
        f"partial sum of column {i}",
        run.at(cycle, f"Fp32Accumulator_partial_{i}") == z3.If(first, start, kept),
    )
    if initial:
        reads = z3.And(beat["valid"] == 1, first)
        got = run.at(cycle - 1, f"InitialSums_read_{i}") == 1
        check.prove(f"initial sum read by column {i}", got == reads)


def _result(check: Checker, run: _Run, i: int, beat: dict, cycle: int) -> None:
    """Check where a column writes the beat's sum, and that nothing is written without a beat."""
    total = run.at(cycle, f"Fp32Accumulator_total_{i}")
    for name, expected in {
        "Partials_write_en": beat["valid"],
        "Partials_write_row": beat["row"],
        "Partials_write_data": total,
        "ResultSlots_write": beat["valid"] & beat["last"],
        "ResultSlots_slot": beat["slot"],
        "ResultSlots_total": total,
    }.items():
        check.prove(f"{name} of column {i}", run.at(cycle, f"{name}_{i}") == expected)


def partial_sums(check: Checker) -> None:
    """Check that the memory gives what was last written in a row, one cycle after it is asked."""
    model = Model(Partials(ROWS))
    row, data = z3.BitVec("row", 2), z3.BitVec("data", 32)
    one = z3.BitVecVal(1, 1)
    inputs = {"write_en": {0: one}, "write_row": {0: row}, "write_data": {0: data}}
    states = model.run(inputs | {"read_row": {1: row, 2: row}}, 3)
    written = [model.value(state, "read_data") for state in states]
    check.prove("what was written", written[2] == data)
    other = z3.Or(
        model.value(states[1], "write_en") == 0, model.value(states[1], "write_row") != row
    )
    check.prove("what is kept", written[3] == written[2], other)
    check.cover("another row is written", other, model.value(states[1], "write_en") == 1)


def columns(check: Checker) -> None:
    """Check all formats in both fabrics, and the memory of partial sums."""
    for format in (formats.get(name, fabric) for fabric in Fabric for name in formats.names()):
        composition(check, format, initial=False)
    for fabric in Fabric:
        composition(check, formats.get("m2xfp", fabric), initial=True)
    partial_sums(check)


def _fields(word: z3.BitVecRef, layout) -> dict[str, z3.BitVecRef]:
    return {name: field(word, part.offset, part.width) for name, part in layout}


def _same(layout, part: str, left: z3.BitVecRef, right: z3.BitVecRef) -> z3.BoolRef:
    place = layout[part]
    return field(left, place.offset, place.width) == field(right, place.offset, place.width)


PROOFS = [
    Proof(
        "columns",
        "Column, SystolicTile",
        "For the beat in control in any cycle, in every column and every part of the operands: the "
        "dot product gets the beat's activations together with the weights on the bus at the last "
        "swap, the beat's own included; its term is added to the partial sum of the beat's row, "
        "to +0 if it is the first, or to the initial sum; the total is written to the same row, "
        "and to the beat's slot if it is the last; nothing is written without a beat; no row is "
        "read before its sum was written.",
        BIT_VECTORS + "; swaps by induction over the cycles, from registers of any content",
        "two columns and four rows; the front, dot products, accumulators, memories and result "
        "slots are stubs with the latencies that they are proved with",
        columns,
        (
            "column: weights follow the bus",
            "column: weights are swapped together",
            "tile: weights are swapped by bubbles",
            "tile: bubbles write partial sums",
            "tile: first group adds to what the last product left",
            "tile: a sum is read a cycle early",
            "core: C is taken but not added",
        ),
    ),
]
