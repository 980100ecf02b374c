"""Seeded bugs of the quantization engine and of streams, each with the test that catches it."""

from .mutant import seeded

_ENGINE = "tests/hdl/test_quantizer_mutants.py::test_aimed_groups_pass"
_FP16 = "tests/hdl/test_quantizer_sg.py::test_fp16_and_the_amaranth_simulator[m2xfp_sg-weights]"
_SPARE = "tests/hdl/test_quantizer_sg.py::test_fp16_and_the_amaranth_simulator[m2xfp_sg_spare-{}]"
_WEIGHTS = "tests/hdl/test_quantizer_weights.py::test_other_types[fp16]"
_SGEM = "hdl/quantizer/sgem.py"
_CHAIN = "tests/hdl/test_quantizer.py::test_amaranth_simulator_agrees"
_PROOF = "tests/proofs/test_proofs.py::test_proof[{}]"

VERIFICATION = [
    *seeded(
        "lane",
        _ENGINE,
        (
            "ties away from zero",
            "hdl/quantizer/rounding.py",
            "return guard & (last | rest)",
            "return guard",
        ),
        (
            "sticky bit dropped",
            "hdl/quantizer/rounding.py",
            "return significand[:count].any()",
            "return significand[:count].any() & 0",
        ),
        (
            "metadata not clamped",
            "hdl/quantizer/rounding.py",
            "(difference == 2) | (difference == 3) | (difference == 4)",
            "(difference == 2) | (difference == 3)",
        ),
        (
            "NaN group keeps its values",
            "hdl/quantizer/exponents.py",
            'f"{name}_far", ~near | nan)',
            'f"{name}_far", ~near)',
        ),
        (
            "scale of a faint group wraps",
            "hdl/quantizer/align.py",
            "return Mux(largest[1:].any(), code, 0)",
            "return code",
        ),
        (
            "top-1 is the last of equals",
            "hdl/quantizer/top1.py",
            "return Cat(bit & ~candidates[:i].any() for i, bit in enumerate(candidates))",
            "return Cat(bit & ~candidates[i + 1 :].any() for i, bit in enumerate(candidates))",
        ),
    ),
    *seeded(
        "lane",
        _FP16,
        (
            "FP16 subnormals are not normalised",
            "hdl/quantizer/unpack.py",
            "Mux(subnormal, shifted << 1, fraction)",
            "Mux(subnormal, fraction << 1, fraction)",
        ),
    ),
    *seeded(
        "scale",
        _ENGINE,
        (
            "both of a pair stay in",
            "hdl/quantizer/exponents.py",
            "(a[i] & ~a_out) | (b[i] & ~b_out)",
            "(a[i] & ~a_out) | b[i]",
        ),
        (
            "NaN of another group",
            "hdl/quantizer/pipeline.py",
            "encoder.nan.eq(largest.all())",
            "encoder.nan.eq(self.i.payload.largest.all())",
        ),
    ),
    *seeded(
        "scale",
        _FP16,
        (
            "FP16 infinity is finite",
            "hdl/quantizer/unpack.py",
            "Mux(exponent.all(), 255, exponent + 112)",
            "exponent + 112",
        ),
    ),
    *seeded(
        "multipliers",
        _SPARE.format("activations"),
        ("a tie goes to the odd code", _SGEM, "+ (code + 1) % 2", "+ code % 2"),
        ("4 and 6 are shifted by one", _SGEM, "_if(two, total << 2)", "_if(two, total << 1)"),
        ("sums wrap around", _SGEM, "[a + b for a, b", "[(a + b)[:-1] for a, b"),
        ("scores are not times n", _SGEM, "inner * Const(n, 4)", "inner * Const(4, 4)"),
        ("squares are not times n", _SGEM, "(squares * n << places)", "(squares * 4 << places)"),
        (
            "the last of equals wins",
            _SGEM,
            "scores[i + 1] < scores[i]",
            "scores[i + 1] <= scores[i]",
        ),
        (
            "registers do not wait",
            _SGEM,
            "name=name, reset_less=True)\n        with m.If(self.enable):",
            "name=name, reset_less=True)\n        with m.If(1):",
        ),
        (
            "the spare code of a negative value",
            _SGEM,
            "spare = ~sign & nearest_spare",
            "spare = nearest_spare",
        ),
        (
            "a zero keeps its sign",
            _SGEM,
            "sign = (sign & chosen.any()) | chosen[3]",
            "sign = sign | chosen[3]",
        ),
        ("7 is 9", _SGEM, "is_spare if spare == 14 else negative", "negative"),
    ),
    *seeded(
        "multipliers",
        _WEIGHTS,
        (
            "sticky bit dropped",
            _SGEM,
            "Cat(y[:dropped].any(), y[dropped:])",
            "Cat(y[:dropped].any() & 0, y[dropped:])",
        ),
        ("farthest values are dropped", _SGEM, "in range(depth + 1)", "in range(depth)"),
    ),
    *seeded(
        "multipliers",
        _FP16,
        ("a NaN group keeps its signs", _SGEM, "sign = flat[i] & ~self.nan", "sign = flat[i]"),
    ),
    *seeded(
        "multipliers",
        _SPARE.format("weights"),
        (
            "a tie goes to the spare code",
            _SGEM,
            "closer = top > 2 * (below + spare) * n",
            "closer = top >= 2 * (below + spare) * n",
        ),
        (
            "the spare code is never taken",
            _SGEM,
            "closer = top > 2 * (below + spare) * n",
            "closer = Const(0, 1)",
        ),
    ),
    *seeded(
        "collector",
        _CHAIN,
        (
            "takes beats while full",
            "hdl/quantizer/collect.py",
            "self.i.ready.eq(~full | self.o.ready)",
            "self.i.ready.eq(1)",
        ),
        (
            "keeps the last group's exponent",
            "hdl/quantizer/collect.py",
            "Mux(write.addr == 0, 0, so_far)",
            "so_far",
        ),
    ),
    *seeded(
        "pipeline",
        _CHAIN,
        (
            "moves on while a word waits",
            "hdl/quantizer/pipeline.py",
            "moving.eq(~self.o.valid | self.o.ready)",
            "moving.eq(1)",
        ),
        (
            "a word for every beat",
            "hdl/quantizer/pipeline.py",
            "full & (index == beats - 1)",
            "full",
        ),
    ),
    *seeded(
        "tile",
        _PROOF.format("streams of the tile's front"),
        (
            "row counter restarts one late",
            "hdl/tile/front.py",
            "row.eq(Mux(beat.end, 0, row + 1))",
            "row.eq(Mux(beat.end, 1, row + 1))",
        ),
        (
            "slots are handed out twice",
            "hdl/tile/front.py",
            "free.eq(free + self.released - reserved)",
            "free.eq(free + self.released)",
        ),
    ),
    *seeded(
        "results",
        _PROOF.format("stream of the result slots"),
        (
            "a row is counted with its first column",
            "hdl/tile/results.py",
            "waiting.eq(waiting + self.write[-1] - take)",
            "waiting.eq(waiting + self.write[0] - take)",
        ),
    ),
    *seeded(
        "weights",
        _PROOF.format("stream of the weights"),
        (
            "one word too few leaves",
            "hdl/tile/weights.py",
            "m.d.sync += taking.eq(columns)",
            "m.d.sync += taking.eq(columns - 1)",
        ),
    ),
    *seeded(
        "initial",
        _PROOF.format("stream of the initial sums"),
        (
            "rows are kept until the first column has read",
            "hdl/tile/initial.py",
            "kept.eq(kept + entered - self.read[-1])",
            "kept.eq(kept + entered - self.read[0])",
        ),
        (
            "all columns go on with the first",
            "hdl/tile/initial.py",
            "with m.If(self.read[index]):",
            "with m.If(self.read[0]):",
        ),
        (
            "a row can be taken until its last column has read",
            "hdl/tile/initial.py",
            "self.available.eq(waiting.any())",
            "self.available.eq(kept.any())",
        ),
        (
            "room for less than a row a cycle",
            "hdl/tile/initial.py",
            "partial_delay(format) + 2",
            "partial_delay(format)",
        ),
    ),
]
