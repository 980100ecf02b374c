"""Shared exponents against exact rationals, where logarithms and quotients go wrong."""

import ml_dtypes
import numpy as np
import pytest

import golden
from golden.scales import SCALE_RULES

from . import groups
from .comparing import assert_m2xfp, assert_mxfp4
from .reference import exact, scale_exponent

EXPONENTS = {
    np.float16: range(-24, 16),
    ml_dtypes.bfloat16: range(-133, 128),
    np.float32: range(-149, 128),
    np.float64: [*range(-1074, -160, 61), *range(-160, 160), *range(160, 1024, 61)],
}


def expected_codes(x, rule):
    return [scale_exponent(max(map(abs, exact(group))), rule) + 127 for group in x]


@pytest.mark.parametrize("rule", groups.RULES)
@pytest.mark.parametrize("dtype", EXPONENTS)
def test_amax_one_ulp_around_every_power_of_two(rule, dtype):
    x = groups.around_powers_of_two(dtype, EXPONENTS[dtype])
    expected = expected_codes(x, rule)
    for format in ("m2xfp", "mxfp4"):
        q = golden.quantize(x, "activations", format=format, scale_rule=rule)
        np.testing.assert_array_equal(q.scales[:, 0], expected)
    assert_m2xfp(x[::17], "activations", rule)
    assert_m2xfp(x[::29], "weights", rule)
    assert_mxfp4(x[::17], rule)


def thresholds(dtype):
    """Return the floats nearest the thresholds 1.5, 1.5 / sqrt(2) and sqrt(2), and neighbours."""
    points = np.array([1.5, 1.5 * 0.5**0.5, 2**0.5]).astype(dtype)
    return np.concatenate([points, np.nextafter(points, dtype(0)), np.nextafter(points, dtype(2))])


@pytest.mark.parametrize("rule", groups.RULES)
@pytest.mark.parametrize("dtype", EXPONENTS)
def test_amax_one_ulp_around_every_threshold(rule, dtype):
    for exponent in (-126, -14, 0, 1, 14, 126):
        if dtype == np.float16 and abs(exponent) > 14:
            continue
        x = groups.with_amax((thresholds(dtype) * dtype(2.0**exponent)).astype(dtype))
        q = golden.quantize(x, "activations", scale_rule=rule)
        np.testing.assert_array_equal(q.scales[:, 0], expected_codes(x, rule))


def test_the_rules_differ_where_they_should():
    # Significands on both sides of 1.06, 1.41 and 1.5: E relative to the floor rule.
    x = groups.with_amax(np.array([1.03, 1.2, 1.45, 1.6], np.float32))
    steps = {}
    for rule in SCALE_RULES:
        scales = golden.quantize(x, "activations", scale_rule=rule).scales[:, 0]
        steps[rule] = (scales.astype(int) - 125).tolist()
    assert steps == {
        "floor": [0, 0, 0, 0],
        "ceil": [0, 0, 0, 1],
        "rtn1": [-1, 0, 0, 0],
        "rtn2": [0, 0, 1, 1],
    }


@pytest.mark.parametrize("rule", groups.RULES)
def test_float32_subnormals(rule):
    rng = np.random.default_rng(6)
    scale = np.exp2(rng.integers(-149, -120, (40, 1)))
    x = (rng.uniform(-1, 1, (40, 32)) * scale).astype(np.float32)
    x[::4] = rng.integers(-5, 6, (10, 32)) * 2.0**-149
    assert_m2xfp(x, "activations", rule)
    assert_m2xfp(x[::2], "weights", rule)
    assert_mxfp4(x, rule)


@pytest.mark.parametrize("rule", groups.RULES)
def test_scales_clamp_at_both_ends(rule):
    rng = np.random.default_rng(7)
    low, high = np.full(12, -128), rng.integers(124, 132, 12)
    exponents = np.concatenate([low - rng.integers(0, 8, 12), high])[:, None]
    x = rng.uniform(-2, 2, (24, 32)) * np.exp2(exponents)
    assert_m2xfp(x, "activations", rule)
    assert_m2xfp(x, "weights", rule)
    assert_mxfp4(x, rule)
    scales = golden.quantize(x * 2.0**20, "weights", scale_rule=rule).scales
    assert scales.max() == 254
    assert golden.quantize(x[:12], "weights", scale_rule=rule).scales.min() == 0


def test_float64_far_outside_float32():
    rng = np.random.default_rng(8)
    exponents = rng.choice([-1022, -600, -300, 300, 520, 600, 1022], (30, 1))
    x = rng.uniform(-2, 2, (30, 32)) * np.exp2(exponents)
    for role in ("activations", "weights"):
        assert_m2xfp(x, role)
