"""Seeded bugs of the comparison formats and of the LUT forms, caught by proofs."""

from .mutant import seeded

_PROOF = "tests/proofs/test_proofs.py::test_proof[{}]"
_NVFP4 = "hdl/formats/nvfp4.py"
_MXFP4 = "hdl/formats/mxfp4.py"

FORMATS = [
    *seeded(
        "NVFP4",
        _PROOF.format("group sum, nvfp4"),
        (
            "a subnormal scale has a hidden bit",
            _NVFP4,
            "Cat(code[:3], code[3:].any())",
            "Cat(code[:3], 1)",
        ),
        (
            "a subnormal scale is half of that",
            _NVFP4,
            "[exponent | ~hidden[3] for",
            "[exponent for",
        ),
        (
            "NaN of the activations only",
            _NVFP4,
            "codes[0].all() | codes[1].all()",
            "codes[0].all()",
        ),
    ),
    *seeded(
        "NVFP4",
        _PROOF.format("group sum in LUTs, nvfp4"),
        (
            "sum of the next group",
            _NVFP4,
            'self.fabric.halves(m, named(m, "total", group.total()), "total")',
            'named(m, "total", group.total())',
        ),
    ),
    *seeded(
        "MXFP4",
        _PROOF.format("group sum, mxfp4"),
        (
            "carry of the scales is lost",
            _MXFP4,
            "Cat(activation.scale + weight.scale, nan)",
            "Cat((activation.scale + weight.scale)[:8], 0, nan)",
        ),
        (
            "offset of the rows stays",
            _MXFP4,
            "heap.add_constant(-1 << (self.product_bits - 1))",
            "pass",
        ),
    ),
    *seeded(
        "dot",
        _PROOF.format("subgroup dot product in LUTs, mxfp4"),
        (
            "2.0 is looked up as 2.5",
            "hdl/e2m1.py",
            "HALVES = (0, 1, 2, 3, 4, 6, 8, 12)",
            "HALVES = (0, 1, 2, 3, 5, 6, 8, 12)",
        ),
        (
            "inversion is all of a negation",
            "hdl/e2m1.py",
            "heap.add(negative, position)",
            "pass",
        ),
    ),
    *seeded(
        "accumulator",
        _PROOF.format("term rounding, nvfp4"),
        (
            "zero has an exponent",
            "hdl/accumulator/term.py",
            "Mux(nonzero, top, -256)",
            "top",
        ),
    ),
    *seeded(
        "accumulator",
        _PROOF.format("FP32 addition of all formats"),
        (
            "short terms are too low",
            "hdl/accumulator/align.py",
            "Cat(Const(0, 24 - len(term.significand)), term.significand)",
            "Cat(Const(0, 4), term.significand)",
        ),
    ),
    *seeded(
        "LUTs",
        _PROOF.format("term rounding in LUTs"),
        (
            "a carry of the next term",
            "hdl/accumulator/term.py",
            'carry = format.fabric.halves(m, carry, "carry")',
            "pass",
        ),
    ),
    *seeded(
        "decode",
        _PROOF.format("bus words"),
        (
            "metadata of the first subgroup",
            "hdl/formats/m2xfp.py",
            "group.metadata[index])",
            "group.metadata[0])",
        ),
        (
            "elements of the first subgroup",
            _MXFP4,
            "first = index * self.subgroup",
            "first = 0",
        ),
        (
            "top-1 of the next beat",
            "hdl/decode.py",
            'cycles, "found", reset_less=True)',
            '0, "found", reset_less=True)',
        ),
        (
            "scale of the next beat",
            "hdl/decode.py",
            "delayed(m, value, cycles, part, reset_less=True)",
            "value",
        ),
    ),
    *seeded(
        "weights",
        _PROOF.format("bus words"),
        (
            "all parts at once",
            "hdl/tile/weights.py",
            "skewed(m, decoded, self._format.delays)",
            "decoded",
        ),
    ),
    *seeded(
        "LUTs",
        _PROOF.format("bus words in LUTs"),
        (
            "parts trail as in gates",
            "hdl/tile/front.py",
            "skewed(m, decoder.operand, self._format.delays)",
            'skewed(m, decoder.operand, {"subgroups": 0} | dict(self._format.part_delays))',
        ),
    ),
    *seeded(
        "column",
        _PROOF.format("columns"),
        (
            "weights are swapped together",
            "hdl/column.py",
            "with m.If(self.swap[delay]):",
            "with m.If(self.swap[0]):",
        ),
    ),
    *seeded(
        "tile",
        _PROOF.format("columns"),
        (
            "weights are swapped by bubbles",
            "hdl/tile/tile.py",
            "Cat(beat.valid & beat.swap for beat in line[index:])",
            "Cat(beat.swap for beat in line[index:])",
        ),
        (
            "a sum is read a cycle early",
            "hdl/tile/tile.py",
            "read = line[index + column.partial_delay - 1]",
            "read = line[index + column.partial_delay - 2]",
        ),
    ),
]
