from .board import BOARD
from .core import CORE
from .core_streams import CORE_STREAMS
from .formats import FORMATS
from .mutant import Mutant
from .mutant import seeded as _mutants
from .verification import VERIFICATION

_TILE = "tests/hdl/test_tile.py::test_every_result_bit_in_amaranth"
_STARVED = "tests/hdl/test_tile.py::test_starved_stream_in_amaranth"
_SLOW = "tests/hdl/test_tile.py::test_slow_results_in_amaranth"

_M2XFP = "hdl/formats/m2xfp.py"
_M2XFP_SG = "hdl/formats/m2xfp_sg.py"

_SWEEP = "tests/synth/sweep/test_sweep.py::"

_MODEL = "tests/sim/model/"

MUTANTS: list[Mutant] = [
    *VERIFICATION,
    *CORE,
    *CORE_STREAMS,
    *BOARD,
    *FORMATS,
    *_mutants(
        "model",
        _MODEL + "test_tiling.py::test_traffic_of_every_tiling[(6, 5, 4)]",
        (
            "partial sums are not read again",
            "sim/model/tiling.py",
            "(times[2] - 1) * (2 * FP32",
            "(times[2] - 1) * (1 * FP32",
        ),
        (
            "tiles are never kept",
            "sim/model/tiling.py",
            "np.where(turns > 1, counts[reused], 1)",
            "np.where(turns > 0, counts[reused], 1)",
        ),
    ),
    *_mutants(
        "model",
        _MODEL + "test_tiling.py::test_the_search_is_exact[(4, 6, 6)]",
        (
            "weights are buffered once",
            "sim/model/tiling.py",
            "buffers.weights / (2 * product.weights * k)",
            "buffers.weights / (1 * product.weights * k)",
        ),
        (
            "the whole K is never tried",
            "sim/model/tiling.py",
            "return np.array([*sizes, extent])",
            "return np.array(sizes or [extent])",
        ),
    ),
    *_mutants(
        "model",
        _MODEL + "test_cycles.py::test_eight_bits_are_two_sets_and_two_passes",
        (
            "8-bit activations are one pass",
            "sim/model/schedule.py",
            "work = (a * m,",
            "work = (m,",
        ),
    ),
    *_mutants(
        "model",
        _MODEL + "test_cycles.py::test_a_layer_is_its_commands[11-2]",
        (
            "a block loads behind the one before",
            "sim/cycles.py",
            "max(rows + following * groups,",
            "max(rows,",
        ),
        (
            "statuses take no time",
            "sim/model/schedule.py",
            "m, n, groups) + cycles.STATUS_CYCLES",
            "m, n, groups)",
        ),
    ),
    *_mutants(
        "sweep",
        _SWEEP + "test_half_a_line_is_no_point",
        (
            "half a line stays",
            "synth/sweep/store.py",
            "os.ftruncate(descriptor, len(whole))",
            "os.ftruncate(descriptor, len(text))",
        ),
    ),
    *_mutants(
        "sweep",
        _SWEEP + "test_points_of_the_file_are_not_run_again",
        (
            "all points run again",
            "synth/sweep/command.py",
            "if point.key not in lines.outcomes",
            "if point.key in lines.outcomes",
        ),
    ),
    *_mutants(
        "sweep",
        _SWEEP + "test_a_wrong_result_is_a_failed_point",
        (
            "wrong outputs pass",
            "synth/sweep/jobs.py",
            "if len(done.mismatches):",
            "if len(done.mismatches) < 0:",
        ),
    ),
    *_mutants(
        "decode",
        "tests/hdl/test_decode.py::test_every_correction_in_amaranth",
        (
            "top-1 is the last of equals",
            _M2XFP,
            "for index, bit in enumerate(value):\n        bits.append(bit & enable)",
            "for index, bit in enumerate(value[::-1]):\n        bits.insert(0, bit & enable)",
        ),
        ("a step down from zero", _M2XFP, "(code.any() | ~down)", "1"),
        ("half a step down from 3.0", _M2XFP, "(medium & ~bottom & down)", "(medium & 0)"),
        (
            "correction away from zero only",
            _M2XFP,
            "correction.sign.eq(sign ^ down)",
            "correction.sign.eq(sign)",
        ),
    ),
    *_mutants(
        "dot",
        "tests/hdl/test_dot.py::test_random_and_extreme_sums_in_amaranth",
        (
            "3 x 3 is 11",
            "hdl/e2m1.py",
            "(left[0] & right[1]) ^ (left[1] & right[0])",
            "(left[0] & right[1]) | (left[1] & right[0])",
        ),
        (
            "negation forgets to add one",
            "hdl/e2m1.py",
            "bit ^ (negative & magnitude[:i].any())",
            "bit ^ negative",
        ),
        ("no correction", _M2XFP, "heap.add(shift_left(m, small, shift), delay=10)", "pass"),
        (
            "sign of the activation is lost in the correction",
            _M2XFP,
            "correction.sign ^ top.sign)",
            "top.sign)",
        ),
        ("sign bit not inverted", "hdl/bit_heap.py", "bits[-1] = ~bits[-1]", "pass"),
        ("carry is an AND of two", "hdl/bit_heap.py", "(a & b) | (c & (a | b))", "a & b"),
    ),
    *_mutants(
        "carry chains",
        "tests/hdl/test_carry_chains.py::test_sum_and_rows",
        (
            "carry in of one operand only",
            "hdl/carry_chains.py",
            "left, right = Cat(carry, high)",
            "left, right = Cat(Const(0, 1), high)",
        ),
        (
            "carry at a neighbour's position",
            "hdl/carry_chains.py",
            "zeros = Const(0, higher[0].position - position - 1)",
            "zeros = Const(0, higher[0].position - position)",
        ),
        ("sum one bit short", "hdl/carry_chains.py", "len(b.value)) + 1,", "len(b.value)),"),
    ),
    *_mutants(
        "LUTs",
        "tests/hdl/test_tile.py::test_every_result_bit_in_luts_in_amaranth",
        (
            "half an alignment of the next cycle",
            "hdl/accumulator/align.py",
            'distance = self._fabric.halves(m, distance, "distance")',
            "pass",
        ),
        (
            "multiplier of the next weights",
            "hdl/formats/base.py",
            "{part: wait + d for",
            "{part: d for",
        ),
    ),
    *_mutants(
        "group",
        _TILE,
        (
            "multiplier of the previous weights",
            "hdl/formats/m2xfp.py",
            '"multipliers": 1',
            '"multipliers": 2',
        ),
        (
            "scale of another cycle",
            "hdl/dot.py",
            "self.term.exponent.eq([factor, *factors][-1].exponent)",
            "self.term.exponent.eq([factor, *factors][-2].exponent)",
        ),
        (
            "multiplier bits swapped",
            _M2XFP,
            "add_one, take_two, take_one = k == 1, k == 2, k == 3",
            "add_one, take_two, take_one = k == 2, k == 1, k == 3",
        ),
    ),
    *_mutants(
        "M2XFP-SG",
        "tests/hdl/test_tile.py::test_multipliers_in_amaranth",
        (
            "4 + 1 for 2 + 1",
            _M2XFP_SG,
            "_masked(a.double, total << 1)",
            "_masked(a.double, total << 2)",
        ),
        ("never 1", _M2XFP_SG, "Cat(~index[1], index == 2", "Cat(index != 2, index == 2"),
        ("8 for 4", _M2XFP_SG, "Cat(index[1], index == 1", "Cat(index.all(), index == 1"),
        ("no carry of -1", _M2XFP_SG, "heap.add(w.minus)", "pass"),
        (
            "multipliers of other rows",
            _M2XFP_SG,
            '"multipliers": 1, "scale": 2})',
            '"multipliers": 0, "scale": 2})',
        ),
    ),
    *_mutants(
        "M2XFP-SG spare code",
        "tests/hdl/test_dot.py::test_random_and_extreme_sums_in_amaranth[m2xfp_sg_spare-Fabric.GATES]",
        ("7 * 5 is 3", _M2XFP_SG, "high, both))", "high, 0))"),
        ("7 is 3", _M2XFP_SG, "(right & (spare_x & ~both).replicate(2))", "0"),
        ("a spare code has a sign", _M2XFP_SG, "(w.sign & ~spare_w)", "w.sign"),
    ),
    *_mutants(
        "accumulator",
        "tests/hdl/test_accumulator.py::test_aimed_additions_in_amaranth",
        (
            "no sticky bit",
            "hdl/accumulator/align.py",
            "Cat(sticky, shifted)",
            "Cat(sticky & 0, shifted)",
        ),
        (
            "far operands wrap around",
            "hdl/accumulator/align.py",
            "distance[:5], distance[5:].any()",
            "distance[:5], Const(0, 1)",
        ),
        (
            "infinity minus infinity",
            "hdl/accumulator/align.py",
            "(term.infinity & partial_infinity & subtract)",
            "(term.infinity & partial_infinity & 0)",
        ),
        ("NaN scale ignored", "hdl/accumulator/align.py", "term.nan | partial_nan", "partial_nan"),
        ("ties away from zero", "hdl/accumulator/pack.py", "(normalized.rest | fraction[0])", "1"),
        (
            "subnormal term truncated",
            "hdl/accumulator/term.py",
            "(rounds & highest).any()",
            "(rounds & 0).any()",
        ),
        (
            "subnormal term ties away",
            "hdl/accumulator/term.py",
            "value & (Cat(0, rest) | value >> 1)",
            "value",
        ),
        (
            "cancellation gives -0",
            "hdl/accumulator/add.py",
            "(aligned.sign ^ inverted) & ~cancelled",
            "aligned.sign ^ inverted",
        ),
        (
            "subnormal sums are normalised",
            "hdl/accumulator/normalize.py",
            "leading_zeros(exact.magnitude | least)",
            "leading_zeros(exact.magnitude)",
        ),
        (
            "overflow keeps its fraction",
            "hdl/accumulator/normalize.py",
            "exact.special.infinity | exponent[:8].all()",
            "exact.special.infinity",
        ),
        (
            "negative difference is one short",
            "hdl/accumulator/normalize.py",
            "shift, exact.inverted)",
            "shift, exact.inverted & 0)",
        ),
    ),
    *_mutants(
        "column",
        _TILE,
        (
            "weights follow the bus",
            "hdl/column.py",
            "with m.If(self.swap[delay]):",
            "with m.If(1):",
        ),
    ),
    *_mutants(
        "tile",
        _TILE,
        (
            "rows of the next pass follow too soon",
            "hdl/tile/front.py",
            "row < self._row_distance - 1, wait, 0)",
            "row < self._row_distance - 1, 0, 0)",
        ),
        (
            "first group adds to what the last product left",
            "hdl/tile/tile.py",
            "Mux(add.first, start, partials.read_data)",
            "partials.read_data",
        ),
    ),
    *_mutants(
        "tile",
        _STARVED,
        (
            "a new set starts before it is complete",
            "hdl/tile/weights.py",
            "store.level >= columns + taking",
            "store.level >= columns + taking - 1",
        ),
        (
            "bubbles write partial sums",
            "hdl/tile/tile.py",
            "partials.write_en.eq(write.valid)",
            "partials.write_en.eq(1)",
        ),
    ),
    *_mutants(
        "tile",
        _SLOW,
        (
            "results overwrite results that wait",
            "hdl/tile/front.py",
            "(~beat.last | free.any())",
            "(~beat.last | 1)",
        ),
        (
            "a waiting result is replaced by the next",
            "hdl/tile/results.py",
            "waiting.any() & (~self.results.valid | self.results.ready)",
            "waiting.any()",
        ),
    ),
]
