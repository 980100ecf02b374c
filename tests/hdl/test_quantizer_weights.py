import numpy as np
import pytest

import golden
from sim import engines, quantize

from . import quantizer_cases as cases
from .operands import E2M1_HALVES

VALUES = E2M1_HALVES / 2
MIDPOINTS = (VALUES[1:] + VALUES[:-1]) / 2


def multiplier_ties(count, seed=6):
    """Groups whose elements lie on midpoints times (1 + k/4), beside them, or share errors."""
    rng = np.random.default_rng(seed)
    midpoints = np.outer(1 + np.arange(4) / 4, MIDPOINTS).ravel()
    near = cases.neighbours(midpoints[midpoints < 8])
    grid = np.arange(1, 128) / 16
    x = np.where(rng.random((count, 32)) < 0.5, rng.choice(near, (count, 32)), 0)
    x = np.where(rng.random((count, 32)) < 0.2, rng.choice(grid, (count, 32)), x)
    x[:, 31] = rng.uniform(4, 8, count)
    x *= rng.choice([-1, 1], x.shape) * np.exp2(rng.integers(-127, 125, (count, 1)))
    return x.astype(np.float32)


def swapped_errors(count=400, seed=7):
    """Subgroups whose two large elements swap their errors between two multipliers.

    Those multipliers tie exactly; small elements make float64 sums of the squares unequal.
    """
    rng = np.random.default_rng(seed)
    x = np.exp2(-rng.uniform(24, 30, (count, 32))) * (rng.random((count, 32)) < 0.5)
    # For (5.5625, 1.4375) multipliers 0 and 3 tie, for (1.6875, 0.6875) 1 and 3.
    pairs = np.array([[5.5625, 1.4375], [1.6875, 0.6875]])[rng.integers(0, 2, (count, 4))]
    x.reshape(count, 4, 8)[:, :, 1:3] = pairs
    return x.astype(np.float32)


def exact_words(x):
    """Encode finite groups by exact errors: q * (q - 2y) needs fewer bits than float64 has."""
    exponent = np.maximum(np.frexp(np.abs(x).max(axis=1).astype(np.float64))[1] - 3, -127)
    y = np.ldexp(np.abs(x).astype(np.float64), -exponent[:, None]).reshape(-1, 4, 8)
    codes, scores = [], []
    for k in range(4):
        scale = 1 + k / 4
        passed = y[..., None] > MIDPOINTS * scale
        passed |= (y[..., None] == MIDPOINTS * scale) & (np.arange(7) % 2 == 1)
        codes.append(passed.sum(axis=-1))
        q = VALUES[codes[-1]] * scale
        scores.append((q * (q - 2 * y)).sum(axis=-1))
    k = np.argmin(scores, axis=0)
    code = np.take_along_axis(np.array(codes), k[None, :, :, None], axis=0)[0]
    nibbles = (code | (np.signbit(x).reshape(code.shape) << 3)).reshape(-1, 16, 2)
    octets = np.concatenate(
        [
            nibbles[..., 0] | nibbles[..., 1] << 4,
            (k << np.arange(0, 8, 2)).sum(axis=1, keepdims=True),
            np.where(x.any(axis=1), exponent + 127, 0)[:, None],
            np.zeros((len(x), 2), int),
        ],
        axis=1,
    )
    return octets.astype(np.uint8).view("<u4")


def quantized(x, engine="fast", **options):
    return quantize.run(x, engines.get(engine), role="weights", lanes=8, **options)


def check_exact(x, **options):
    finite = x[np.isfinite(x).all(axis=1)]
    run = quantized(finite, **options)
    np.testing.assert_array_equal(run.words, exact_words(finite), err_msg="exact")


def test_exact_errors_of_ties_and_heavy_tails():
    check_exact(
        np.concatenate([multiplier_ties(20_000), swapped_errors(), cases.heavy_tails(20_000)])
    )


@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_other_types(dtype):
    x = np.concatenate([multiplier_ties(40), cases.heavy_tails(40)])
    with np.errstate(over="ignore", under="ignore"):
        check_exact(x.astype(quantize.DTYPES[dtype]), engine="amaranth")


def test_golden_agrees_with_special_groups_and_stalls():
    """Golden compares float64 sums; without exact ties beside small elements they agree."""
    run = quantized(cases.heavy_tails(4000), stall=0.2)
    assert not run.mismatches.size
    assert (run.expected[:, 4] == 0xFF00).any()


def test_latency():
    assert quantized(cases.heavy_tails(100)).latency == 12


def test_golden_may_take_another_of_tied_multipliers():
    """Rounded float64 sums separate what ties exactly; the elements' errors are the same."""
    x = swapped_errors()
    run = quantized(x)
    assert run.mismatches.size
    expected = golden.quantize(x, "weights", adaptive=False).dequantize().astype(np.float64)
    got = run.result.dequantize().astype(np.float64)
    large = np.abs(x) > 0.25
    errors = [((q - x) ** 2 * large).reshape(-1, 4, 8).sum(axis=2) for q in (got, expected)]
    np.testing.assert_array_equal(*errors)
