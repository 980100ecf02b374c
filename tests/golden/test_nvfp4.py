"""NVFP4 against exact rationals, with ml_dtypes for E4M3."""

from fractions import Fraction

import ml_dtypes
import numpy as np
import pytest

import golden

from . import reference
from .unpacking import element_codes

E4M3 = [
    Fraction(float(v))
    for v in np.arange(127, dtype=np.uint8).view(ml_dtypes.float8_e4m3fn).astype(float)
]


def encode(x):
    """Encode groups (n, 16): tensor scale, scale codes, element codes; exact."""
    magnitudes = [[abs(v) for v in reference.exact(group)] for group in x]
    amax = max(max(group) for group in magnitudes)
    tensor = min(reference.round_fp32(amax / 2688), Fraction(float(np.finfo(np.float32).max)))
    scales, codes = [], []
    for group, values in zip(magnitudes, x, strict=True):
        scale = reference.rne(max(group) / 6 / tensor, E4M3) if tensor else 0
        step = E4M3[scale] * tensor
        signs = [8 * int(s) for s in np.signbit(values)]
        scales.append(scale)
        codes.append(
            [
                s + (reference.rne(m / step, reference.E2M1) if step else 0)
                for m, s in zip(group, signs, strict=True)
            ]
        )
    return tensor, scales, codes


def check(x):
    q = golden.quantize(x, "weights", format="nvfp4")
    tensor, scales, codes = encode(x)
    assert Fraction(float(q.tensor_scale)) == tensor
    np.testing.assert_array_equal(q.scales[:, 0], scales)
    np.testing.assert_array_equal(element_codes(q), codes)
    decoded = q.dequantize()
    for group, scale, row in zip(codes, scales, decoded, strict=True):
        for code, value in zip(group, row, strict=True):
            magnitude = reference.E2M1[code & 7] * E4M3[scale] * tensor
            assert abs(float(value)) == float(reference.round_fp32(magnitude))
            assert np.signbit(value) == code >> 3


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
@pytest.mark.parametrize("spread", [0, 4, 12])
def test_random_groups(dtype, spread):
    rng = np.random.default_rng(spread)
    scale = np.exp2(rng.integers(-spread, spread + 1, (40, 1)) / 2)
    check((rng.standard_normal((40, 16)) * scale).astype(dtype))


def test_ties_of_scales_and_elements():
    # amax 2688 makes the tensor scale 1, so group scales and elements can be aimed at midpoints.
    rng = np.random.default_rng(11)
    grid = np.array([float(v) for v in E4M3])
    x = np.zeros((254, 16))
    x[:126, 0] = (grid[1:] + grid[:-1]) / 2 * 6
    x[126:252, 0] = grid[1:] * 6
    midpoints = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5, 6])
    x[126:252, 1:] = rng.choice(midpoints, (126, 15)) * grid[1:, None]
    x[252, 0] = 2688
    x[253] = np.nextafter(x[5], 0)  # one float64 below a tie of the scale
    check(x)
    q = golden.quantize(x, "weights", format="nvfp4")
    assert q.tensor_scale == 1


@pytest.mark.parametrize("exponent", [-149, -140, -135, -130, -120, 0, 120])
def test_tensor_scales_down_to_subnormals_and_zero(exponent):
    rng = np.random.default_rng(12)
    x = np.ldexp(rng.integers(-255, 256, (8, 16)), exponent).astype(np.float32)
    check(x)


def test_groups_whose_scale_rounds_to_zero():
    x = np.ones((2, 16), np.float32)
    x[1] = -(2.0**-20)  # 2**-20 / 6 over 1 / 2688 is far below half of 2**-9
    q = golden.quantize(x, "weights", format="nvfp4")
    assert q.scales[:, 0].tolist() == [126, 0]
    assert not q.dequantize()[1].any()
    assert np.signbit(q.dequantize()[1]).all()
    check(x)


def test_all_zero_tensor():
    q = golden.quantize(np.zeros((2, 16), np.float32), "weights", format="nvfp4")
    assert (q.tensor_scale, q.scales.any(), q.elements.any()) == (0, False, False)


def test_tensor_scale_ignores_nan_groups_and_saturates():
    x = np.ones((3, 16))
    x[0, 0], x[1, 0] = np.inf, 6
    q = golden.quantize(x, "weights", format="nvfp4")
    assert q.tensor_scale == np.float32(6 / 2688)
    check(np.full((1, 16), 1e300))


def test_matmul_rounds_each_group_and_then_the_tensor_scales():
    rng = np.random.default_rng(13)
    x, w = rng.standard_normal((2, 4, 64)).astype(np.float32)
    c = rng.standard_normal((4, 4)).astype(np.float32)
    a = golden.quantize(x, "activations", format="nvfp4")
    b = golden.quantize(w, "weights", format="nvfp4")
    left, right = _unscaled(a), _unscaled(b)
    alpha = reference.round_fp32(Fraction(float(a.tensor_scale)) * Fraction(float(b.tensor_scale)))
    for m in range(4):
        for n in range(4):
            acc = Fraction(0)
            for g in range(4):
                pairs = zip(left[4 * m + g], right[4 * n + g], strict=True)
                acc = reference.round_fp32(acc + reference.round_fp32(sum(p * q for p, q in pairs)))
            assert Fraction(float(golden.accumulate(a, b)[m, n])) == acc
            product = reference.round_fp32(acc * alpha)
            assert Fraction(float(golden.matmul(a, b)[m, n])) == product
            total = reference.round_fp32(Fraction(float(c[m, n])) + product)
            assert Fraction(float(golden.matmul(a, b, c)[m, n])) == total


def _unscaled(q):
    rows = zip(element_codes(q).tolist(), q.scales.reshape(-1).tolist(), strict=True)
    return [
        [(-1 if c & 8 else 1) * reference.E2M1[c & 7] * E4M3[scale] for c in codes]
        for codes, scale in rows
    ]
