"""SMX4 against exact rationals, and its packed bits."""

from fractions import Fraction

import numpy as np
import pytest

import golden

from . import groups, reference

GRID = [Fraction(n) for n in range(4)]


def encode(x, rule):
    """Encode one group of 16: (scale code, microexponents, sign and magnitude codes)."""
    magnitudes = [abs(v) for v in reference.exact(x)]
    amax = max(magnitudes)
    # Largest magnitude 3 where E2M1 has 6: the exponent of twice the values.
    exponent = reference.scale_exponent(2 * amax, rule) if amax else -127
    step = Fraction(2) ** exponent
    micro = [int(max(magnitudes[i : i + 2]) < 2 * step) for i in range(0, 16, 2)]
    codes = [reference.rne(m * 2 ** micro[i // 2] / step, GRID) for i, m in enumerate(magnitudes)]
    signs = [4 * int(s) for s in np.signbit(x)]
    return exponent + 127, micro, [c + s for c, s in zip(codes, signs, strict=True)]


def check(x, rule="floor"):
    q = golden.quantize(x, "weights", format="smx4", scale_rule=rule)
    decoded = q.dequantize()
    for i, group in enumerate(x):
        scale, micro, codes = encode(group, rule)
        assert q.scales[i, 0] == scale
        assert q.metadata[i, 0] == sum(bit << j for j, bit in enumerate(micro))
        word = sum(code << 3 * j for j, code in enumerate(codes))
        assert int.from_bytes(q.elements[i].tobytes(), "little") == word
        for j, code in enumerate(codes):
            value = (code & 3) * Fraction(2) ** (scale - 127 - micro[j // 2])
            assert abs(Fraction(float(decoded[i, j]))) == value
            assert np.signbit(decoded[i, j]) == code >> 2


@pytest.mark.parametrize("rule", groups.RULES)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_random_groups(rule, dtype):
    low, high = (-12, 10) if dtype == np.float16 else (-120, 110)
    x = groups.normal(np.random.default_rng(14), 40, low, high, dtype).reshape(-1, 16)
    check(x, rule)


def test_ties_and_edges_of_the_microexponent():
    points = np.array([0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.99, 2, 2.25, 2.5, 3, 3.5])
    rng = np.random.default_rng(15)
    x = rng.choice(points, (100, 16)) * rng.choice([-1, 1], (100, 16))
    x[:, 0] = 3.5
    check(x * np.exp2(rng.integers(-100, 100, (100, 1))))


def test_subnormals_and_zeros():
    rng = np.random.default_rng(16)
    x = rng.integers(-9, 10, (30, 16)) * np.exp2(rng.integers(-149, -124, (30, 1)))
    check(x.astype(np.float32))
    check(np.zeros((1, 16)))


def test_costs_four_bits_an_element():
    q = golden.quantize(np.ones((2, 64), np.float32), "weights", format="smx4")
    assert q.spec.bits_per_element == 4
    assert 8 * q.nbytes == 4 * 128
