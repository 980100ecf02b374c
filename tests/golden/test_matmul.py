"""Matrix products against exact rationals rounded one group at a time (spec section 7)."""

from fractions import Fraction

import numpy as np
import pytest

import golden

from . import reference
from .unpacking import element_codes, metadata_fields


def decoded_groups(quantized):
    decode = (
        reference.decode_activation if quantized.role == "activations" else reference.decode_weight
    )
    rows, groups = quantized.scales.shape
    flat = [
        decode(int(s), [int(c) for c in codes], [int(f) for f in fields])
        for s, codes, fields in zip(
            quantized.scales.reshape(-1),
            element_codes(quantized),
            metadata_fields(quantized),
            strict=True,
        )
    ]
    return [flat[r * groups : (r + 1) * groups] for r in range(rows)]


def expected_product(a, w, c=None):
    left, right = decoded_groups(a), decoded_groups(w)
    out = np.zeros((len(left), len(right)), np.float32)
    for m, row in enumerate(left):
        for n, channel in enumerate(right):
            acc = Fraction(0) if c is None else Fraction(float(c[m, n]))
            for x, y in zip(row, channel, strict=True):
                total = sum((p * q for p, q in zip(x, y, strict=True)), Fraction(0))
                acc = reference.round_fp32(acc + reference.round_fp32(total))
            out[m, n] = float(acc)
    return out


@pytest.mark.parametrize("spread", [0, 6, 30])
def test_m2xfp_matches_exact_rationals(spread):
    rng = np.random.default_rng(spread)
    x, y = rng.standard_normal((2, 6, 128)) * 2.0 ** rng.integers(-spread, spread + 1, (2, 6, 1))
    a, w = golden.quantize(x, "activations"), golden.quantize(y, "weights")
    c = rng.standard_normal((6, 6)).astype(np.float32)
    np.testing.assert_array_equal(golden.matmul(a, w), expected_product(a, w))
    np.testing.assert_array_equal(golden.matmul(a, w, c), expected_product(a, w, c))
