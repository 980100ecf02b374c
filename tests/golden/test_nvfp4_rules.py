"""NVFP4's scale rules that search, against every candidate tried one by one."""

from fractions import Fraction

import numpy as np
import pytest

import golden

from . import reference
from .test_nvfp4 import E4M3
from .unpacking import element_codes

RULES = ["four_six", "search"]


def candidates(amax, tensor, rule):
    """Return the scale codes that a rule tries for a group, in order."""
    codes = {n: reference.rne(amax / n / tensor, E4M3) if tensor else 0 for n in (3, 4, 6, 12)}
    return [codes[6], codes[4]] if rule == "four_six" else list(range(codes[12], codes[3] + 1))


def quantized(magnitudes, step):
    return [reference.rne(m / step, reference.E2M1) if step else 0 for m in magnitudes]


def exact_error(magnitudes, codes, step, counts):
    terms = zip(magnitudes, codes, counts, strict=True)
    return sum(n * (reference.E2M1[c] * step - m) ** 2 for m, c, n in terms)


def float_error(magnitudes, codes, step, counts):
    """Return the error as documented: float64, neighbours first."""
    terms = [
        (float(reference.E2M1[c]) * float(step) - float(m)) ** 2 * float(n)
        for m, c, n in zip(magnitudes, codes, counts, strict=True)
    ]
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


def encode(x, rule, error, counts):
    """Encode groups (n, 16): tensor scale, scale codes, element codes without signs."""
    magnitudes = [[abs(v) for v in reference.exact(group)] for group in x]
    tensor = reference.round_fp32(max(map(max, magnitudes)) / 1536)
    best = []
    for group in magnitudes:
        tried = []
        for scale in candidates(max(group), tensor, rule):
            step = E4M3[scale] * tensor
            codes = quantized(group, step)
            tried.append((error(group, codes, step, counts), scale, codes))
        best.append(min(tried, key=lambda found: found[0]))  # the first of equals
    return tensor, [scale for _, scale, _ in best], [codes for _, _, codes in best]


def check(x, rule, error, importance=None, counts=(1,) * 16):
    q = golden.quantize(x, "weights", format="nvfp4", scale_rule=rule, importance=importance)
    tensor, scales, codes = encode(x, rule, error, counts)
    assert Fraction(float(q.tensor_scale)) == tensor
    np.testing.assert_array_equal(q.scales[:, 0], scales)
    found = element_codes(q)
    np.testing.assert_array_equal(found & 7, codes)
    np.testing.assert_array_equal(found >> 3, np.signbit(x))
    return scales


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(3))
def test_few_bits_decided_exactly(rule, seed):
    """Tensor scale 1 and short integers: float64 makes no error, and candidates often tie."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-12, 13, (120, 16)) * np.exp2(rng.integers(-6, 7, (120, 1)))
    x[0, 0] = 1536
    check(x, rule, exact_error)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_random_groups(rule, dtype):
    rng = np.random.default_rng(7)
    scale = np.exp2(rng.integers(-12, 13, (80, 1)) / 2)
    check((rng.standard_normal((80, 16)) * scale).astype(dtype), rule, float_error)


@pytest.mark.parametrize("rule", RULES)
def test_importance(rule):
    """Powers of two below 2**20 are their own counts, but for the exponent of the largest."""
    rng = np.random.default_rng(8)
    counts = [0, *(1 << rng.integers(0, 20, 15)).tolist()]
    counts[3] = 1 << 19
    importance = np.array(counts) / 2.0**15
    x = rng.standard_normal((80, 16)).astype(np.float32)
    scales = check(x, rule, float_error, importance, counts)
    assert scales != check(x, rule, float_error)
    x = rng.integers(-12, 13, (80, 16)) * 2.0**-3
    x[0, 0] = 1536
    check(x, rule, exact_error, importance, counts)


def test_plain_scales_take_no_importance():
    message = "^Importance for nvfp4 needs the scale rule four_six or search, not floor$"
    with pytest.raises(golden.InputError, match=message):
        golden.quantize(np.ones((1, 16)), "weights", format="nvfp4", importance=np.ones(16))


def test_ties_that_only_rounding_breaks():
    """Pairs 2 + d and 2.25 - d have each other's errors under the scales 1 and 1.5."""
    rng = np.random.default_rng(5)
    d = rng.integers(0, 2**47, (100, 7)) * 2.0**-50
    x = np.full((100, 16), 3.0)
    x[:, 1:15] = rng.permuted(np.concatenate([2 + d, 2.25 - d], axis=1), axis=1)
    x[:, 0] = 6
    x[0, 0] = 1536
    scales = check(x, "four_six", float_error)
    assert len(set(scales[1:])) == 2


def test_both_candidates_are_chosen():
    x = np.zeros((3, 16))
    x[0, :2] = 1536, 1024  # 6 and 4 fit
    x[1, :2] = 6, 5  # 6 and 5 do not; 4 and 10/3 are nearer
    x[2, 0] = 6
    scales = check(x, "four_six", exact_error)
    assert [float(E4M3[scale]) for scale in scales] == [256, 1.5, 1]


def test_equal_errors_keep_the_first_candidate():
    x = np.zeros((2, 16))
    x[0, 0], x[1, :] = 1536, 6
    scales = check(x, "four_six", exact_error)  # 6 * 1 and 4 * 1.5 are both exact
    assert float(E4M3[scales[1]]) == 1
    scales = check(x, "search", exact_error)  # from 0.5 on, 1 is the first that is exact
    assert float(E4M3[scales[1]]) == 1


@pytest.mark.parametrize("rule", RULES)
def test_zero_and_special_groups(rule):
    x = np.zeros((4, 16), np.float32)
    x[0, 3], x[1, 2] = np.nan, -np.inf
    q = golden.quantize(x, "weights", format="nvfp4", scale_rule=rule)
    assert q.tensor_scale == 0
    assert q.scales[:, 0].tolist() == [127, 127, 0, 0]
    x[2, 5] = -3
    q = golden.quantize(x, "weights", format="nvfp4", scale_rule=rule)
    assert q.tensor_scale == np.float32(3 / 1536)
    assert q.dequantize()[2, 5] == -3


@pytest.mark.parametrize("rule", RULES)
def test_the_error_is_never_larger_than_plain(rule):
    rng = np.random.default_rng(9)
    x = rng.standard_normal((64, 64)).astype(np.float32)
    plain, chosen = (
        golden.quantize(x, "weights", format="nvfp4", scale_rule=r).dequantize()
        for r in ("floor", rule)
    )
    assert ((chosen - x) ** 2).sum() < 0.97 * ((plain - x) ** 2).sum()
