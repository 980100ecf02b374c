"""Matrix products against exact rationals rounded one group at a time (spec section 7)."""

import re
from fractions import Fraction

import numpy as np
import pytest

import golden

from . import reference
from .comparing import bits
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


def quantized(x, role, format="m2xfp"):
    return golden.quantize(np.asarray(x, np.float32), role, format=format)


def test_mxfp4_matches_exact_rationals():
    rng = np.random.default_rng(20)
    x, y = rng.standard_normal((2, 5, 96))
    a, w = quantized(x, "activations", "mxfp4"), quantized(y, "weights", "mxfp4")
    left, right = a.dequantize(), w.dequantize()
    result = golden.matmul(a, w)
    for m, n in np.ndindex(5, 5):
        acc = Fraction(0)
        for g in range(0, 96, 32):
            pairs = zip(left[m, g : g + 32].tolist(), right[n, g : g + 32].tolist(), strict=True)
            acc = reference.round_fp32(acc + sum(Fraction(p) * Fraction(q) for p, q in pairs))
        assert Fraction(float(result[m, n])) == acc


def test_terms_and_sums_among_the_subnormals():
    rng = np.random.default_rng(21)
    x = rng.standard_normal((8, 96)) * np.exp2(rng.integers(-80, -60, (8, 1)))
    y = rng.standard_normal((8, 96)) * np.exp2(rng.integers(-80, -60, (8, 1)))
    a, w = quantized(x, "activations"), quantized(y, "weights")
    result = golden.matmul(a, w)
    assert (np.abs(result[result != 0]) < np.finfo(np.float32).tiny).any()
    np.testing.assert_array_equal(result, expected_product(a, w))


def test_overflow_becomes_infinity_and_opposite_infinities_nan():
    x = np.zeros((2, 64))
    x[:, 0], x[:, 32] = 2.0**100, [2.0**100, -(2.0**100)]
    a, w = quantized(x, "activations"), quantized(np.abs(x), "weights")
    assert bits(golden.matmul(a, w))[:, 0].tolist() == [0x7F800000, 0x7FC00000]


def test_zero_terms():
    a, w = quantized(-np.zeros((1, 32)), "activations"), quantized(np.ones((1, 32)), "weights")
    assert bits(golden.matmul(a, w)).tolist() == [[0]]
    minus_zero = np.array([[-0.0]], np.float32)
    assert bits(golden.matmul(a, w, minus_zero)).tolist() == [[0]]
    cancelling = quantized(np.tile([1, -1], (1, 16)), "activations")
    assert bits(golden.matmul(cancelling, w, minus_zero)).tolist() == [[0]]


def test_nan_accumulators_become_the_quiet_nan():
    a, w = quantized(np.ones((1, 32)), "activations"), quantized(np.ones((1, 32)), "weights")
    for pattern in (0x7F800001, 0xFFC00123, 0x7FC00000):
        c = np.array([[pattern]], np.uint32).view(np.float32)
        assert bits(golden.matmul(a, w, c)).tolist() == [[0x7FC00000]]
        assert bits(c).tolist() == [[pattern]]


def test_starting_from_c_continues_a_product():
    rng = np.random.default_rng(22)
    x, y = rng.standard_normal((2, 7, 128))
    halves = [
        (quantized(x[:, cut], "activations"), quantized(y[:, cut], "weights"))
        for cut in (slice(0, 64), slice(64, 128))
    ]
    whole = golden.matmul(quantized(x, "activations"), quantized(y, "weights"))
    partial = golden.matmul(*halves[0])
    np.testing.assert_array_equal(golden.matmul(*halves[1], partial), whole)


def test_largest_group_sum():
    arrays = [np.full((1, 16), 0x77, np.uint8), np.array([[127]], np.uint8)]
    a = golden.Quantized(*arrays, np.array([[255]], np.uint8), "activations", "m2xfp", (1, 32))
    w = golden.Quantized(*arrays, np.array([[255]], np.uint8), "weights", "m2xfp", (1, 32))
    assert golden.matmul(a, w)[0, 0] * 64 == 131712


@pytest.mark.parametrize("format", ["m2xfp", "mxfp4", "nvfp4"])
def test_accumulate_is_matmul_without_tensor_scales(format):
    rng = np.random.default_rng(23)
    x, y = rng.standard_normal((2, 4, 64))
    a, w = quantized(x, "activations", format), quantized(y, "weights", format)
    raw, product = golden.accumulate(a, w), golden.matmul(a, w)
    assert np.array_equal(raw, product) == (format != "nvfp4")


def test_operands_that_do_not_fit_are_refused():
    x = np.ones((2, 64))
    a, w = quantized(x, "activations"), quantized(x, "weights")
    refused(r"Left operand must be activations, not weights", w, w)
    refused(r"Right operand must be weights, not activations", a, a)
    refused(
        r"K must agree, not 64 in the activations and 32 in the weights",
        a,
        quantized(x[:, :32], "weights"),
    )
    refused(
        r"Left operand must have two axes, not shape (1, 2, 64)",
        quantized(x[None], "activations"),
        w,
    )
    refused(
        r"Formats must agree, not m2xfp activations and mxfp4 weights",
        a,
        quantized(x, "weights", "mxfp4"),
    )
    refused(r"Initial accumulators must be float32, not float64", a, w, np.zeros((2, 2)))
    refused(
        r"Initial accumulators must have shape (2, 2), not (2, 3)",
        a,
        w,
        np.zeros((2, 3), np.float32),
    )


def refused(message, *arguments):
    with pytest.raises(golden.InputError, match=f"^{re.escape(message)}$"):
        golden.matmul(*arguments)
