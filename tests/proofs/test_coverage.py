"""How often the random operands of the tests hit each class; ``-rP`` prints the counts.

`make verify` prints and records them.
"""

import json

import numpy as np
import pytest

import golden

from ..hdl import quantizer_cases as cases
from ..hdl.operands import E2M1_HALVES, top_one
from ..hdl.test_accumulator import SUMS, aimed_additions, reference
from ..hdl.test_tile import quantized


def check(title, classes, record):
    """Print and record the counts of a table of classes; none may be zero."""
    counts = {name: int(np.count_nonzero(hits)) for name, hits in classes.items()}
    width = max(map(len, counts))
    print(f"\n{title}")
    for name, count in counts.items():
        print(f"  {name:{width}} {count:9,}")
    record(title, json.dumps(counts))
    assert not [name for name, count in counts.items() if not count]


def test_a_class_that_is_not_hit_fails():
    with pytest.raises(AssertionError, match=r"\['never'\]"):
        check("Nothing", {"always": [True], "never": [False, False]}, lambda *_: None)


def test_additions(record_property):
    columns = aimed_additions("m2xfp", 20_000, seed=7).values()
    significand, exponent, nan, partial = (np.concatenate(c) for c in zip(*columns, strict=True))
    _, unit, _ = SUMS["m2xfp"]
    bits = reference("m2xfp", significand, exponent, nan, partial)
    with np.errstate(all="ignore"):
        exact = np.ldexp(significand.astype(np.float64), exponent.astype(np.int64) + unit)
        term = exact.astype(np.float32)
        sums = term.astype(np.float64) + partial.view(np.float32)
        total = bits.view(np.float32)
        finite = np.isfinite(total) & np.isfinite(term) & np.isfinite(partial.view(np.float32))
        # Both in units of the last place of a normal sum: float64 holds what rounding dropped.
        place = np.ldexp(1.0, np.maximum((bits >> 23 & 255).astype(int), 1) - 150)
        error = np.where(finite, np.abs(sums - total) / place, 0)
        lost = np.where(finite, np.abs(partial.view(np.float32)) / np.abs(total), 0)
    field, term_field = bits >> 23 & 255, term.view(np.uint32) >> 23 & 255
    distance = term_field.astype(int) - (partial >> 23 & 255).astype(int)
    opposite = np.signbit(term) != (partial >> 31).astype(bool)
    both = (term_field % 255 != 0) & ((partial >> 23 & 255) % 255 != 0)
    classes = {
        "term positive": term > 0,
        "term negative": term < 0,
        "term zero": significand == 0,
        "term subnormal": (term_field == 0) & (term != 0),
        "term rounded": np.isfinite(term) & (term != exact),
        "term infinite": np.isinf(term),
        "partial subnormal": (partial >> 23 & 255 == 0) & (partial << 1 != 0),
        "partial -0": partial == 0x80000000,
        "partial infinite": partial << 1 == 0xFF000000,
        "partial NaN": np.isnan(partial.view(np.float32)),
        "NaN scale": nan == 1,
        "infinity minus infinity": np.isinf(term) & (partial << 1 == 0xFF000000) & opposite,
        "tie": error == 0.5,
        "rounded up or down": (error > 0) & (error < 0.5),
        "exact": finite & (error == 0) & both,
        "cancelled to +0": (bits == 0) & (significand != 0),
        "cancelled by 2^8": lost > 256,
        "cancelled by 2^16": lost > 65536,
        "sum subnormal": (field == 0) & (bits << 1 != 0),
        "sum overflows": (bits << 1 == 0xFF000000) & np.isfinite(partial.view(np.float32)),
    }
    classes |= {f"exponents {d:+} apart": both & (distance == d) for d in range(-26, 27)}
    classes |= {"far smaller term": both & (distance < -26), "far larger": both & (distance > 26)}
    check("FP32 accumulations", classes, record_property)


def test_quantizer_inputs(record_property):
    x = np.concatenate(
        [
            cases.fp32_decisions(range(-127, 126, 9)),
            cases.fp32_maxima(),
            cases.heavy_tails(4000),
            cases.crossed_subgroups(),
        ]
    )
    finite = np.isfinite(x).all(axis=1)
    most = np.abs(np.where(np.isfinite(x), x, 0)).max(axis=1).astype(np.float64)
    exponent = np.maximum(np.frexp(most)[1] - 3, -127)
    q = golden.quantize(x, "activations")
    metadata = (q.metadata[..., None] >> np.arange(0, 8, 2) & 3).ravel()
    scaled = np.ldexp(np.abs(np.where(np.isfinite(x), x, 0)).astype(np.float64), -exponent[:, None])
    coarse = (E2M1_HALVES[1:] + E2M1_HALVES[:-1]) / 4
    codes = np.stack([q.elements & 7, q.elements >> 4 & 7], axis=-1).reshape(-1, 8)
    top = top_one(codes)
    tied = (codes == codes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    subnormal = (np.abs(x) < 2.0**-126) & (x != 0)
    classes = {
        "NaN": np.isnan(x),
        "infinity": np.isinf(x),
        "NaN group": ~finite,
        "zero group": most == 0,
        "-0": (x == 0) & np.signbit(x),
        "subnormal": subnormal,
        "all of a group subnormal": (subnormal | (x == 0)).all(axis=1) & (most > 0),
        "least scale": finite & (most > 0) & (exponent == -127),
        "greatest scale": most >= 2.0**127,
        "saturated": scaled > 6,
        "rounded to zero": (x != 0) & (scaled < 0.25),
        "largest is a power of two": finite
        & (most == np.exp2(np.floor(np.log2(most + 2.0**-200)))),
        "several largest codes": tied,
    }
    classes |= {f"tie at {m}": (scaled == m).any(axis=1) for m in coarse}
    classes |= {f"beside tie {m}": (scaled != m) & (np.abs(scaled / m - 1) < 1e-6) for m in coarse}
    classes |= {f"metadata {m}": metadata == m for m in range(4)}
    classes |= {f"top-1 is element {i}": top == i for i in range(8)}
    check("Groups to quantize", classes, record_property)


@pytest.mark.parametrize("role", ["activations", "weights"])
def test_operands_of_the_tile(role, record_property):
    parts = [quantized(role, rows, 3, "m2xfp", seed) for rows, seed in [(13, 13), (16, 1), (7, 7)]]
    elements = np.concatenate([part.elements.ravel() for part in parts])
    codes = np.concatenate([elements & 15, elements >> 4])
    metadata = np.concatenate([part.metadata.ravel() for part in parts])
    scales = np.concatenate([part.scales.ravel() for part in parts])
    classes = {f"code {code}": codes == code for code in range(16)}
    classes |= {f"metadata {m}": metadata[:, None] >> np.arange(0, 8, 2) & 3 == m for m in range(4)}
    classes |= {"NaN group": scales == 255, "zero group": scales == 0}
    classes |= {"scale above 1": (scales > 127) & (scales < 255), "scale below 1": scales < 127}
    check(f"Operands of the tile: {role}", classes, record_property)
