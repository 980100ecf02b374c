"""Groups (n, 32) aimed at one class of mistake each."""

import numpy as np

E2M1_MIDPOINTS = np.array([0.25, 0.75, 1.25, 1.75, 2.5, 3.5, 5])
RULES = ("floor", "ceil", "rtn1", "rtn2")


def signed(rng, magnitudes):
    """Give magnitudes random signs."""
    return magnitudes * rng.choice([-1.0, 1.0], magnitudes.shape)


def normal(rng, count, low=-30, high=30, dtype=np.float32):
    """Normal values with one exponent a group between low and high."""
    scale = np.exp2(rng.integers(low, high + 1, (count, 1)))
    return (rng.standard_normal((count, 32)) * scale).astype(dtype)


def ties(rng, count, dtype=np.float32):
    """Every E2M1 midpoint times (1 + k/4) times 2**b, one float around it, under amax 6 or 7.5."""
    scales = np.multiply.outer([1, 1.25, 1.5, 1.75], [0.5, 1, 2]).reshape(-1)
    points = np.multiply.outer(E2M1_MIDPOINTS, scales).reshape(-1)
    points = points[points < 7.5]
    x = rng.choice(points, (count, 32)).astype(dtype)
    x = np.where(rng.random(x.shape) < 0.3, np.nextafter(x, dtype(rng.choice([0, 8]))), x)
    x[np.arange(count), rng.integers(0, 32, count)] = rng.choice([4, 6, 7.5], count)
    return signed(rng, x * np.exp2(rng.integers(-20, 20, (count, 1)))).astype(dtype)


def refined_ties(rng, count, dtype=np.float32):
    """Every E2M3 midpoint, and every E2M1 one, as the largest of its subgroup."""
    grid = np.concatenate([np.arange(16) / 8, np.arange(8, 16) / 4, np.arange(8, 16) / 2])
    points = np.concatenate([(grid[1:] + grid[:-1]) / 2, grid, E2M1_MIDPOINTS])
    x = np.zeros((count, 32))
    x[:, 3::8] = rng.choice(points, (count, 4))
    x[:, 6::8] = x[:, 3::8] * rng.choice([0, 0.5, 0.99, 1], (count, 4))
    x[:, 30] = rng.choice([4, 5, 6, 7.75], count)
    return signed(rng, x * np.exp2(rng.integers(-20, 20, (count, 1)))).astype(dtype)


def around_powers_of_two(dtype, exponents):
    """Return groups whose largest magnitude is a power of two, one float below and one above."""
    powers = np.ldexp(dtype(1), np.asarray(exponents)).astype(dtype)
    below, above = np.nextafter(powers, dtype(0)), np.nextafter(powers, dtype(np.inf))
    amax = np.concatenate([below, powers, above])
    return with_amax(amax[np.isfinite(amax) & (amax > 0)])


def with_amax(amax):
    """Return groups with these largest magnitudes and smaller elements spread below."""
    spread = np.linspace(1, 0, 32)
    spread[[9, 17, 25]] *= -1
    return (amax[:, None].astype(np.float64) * spread).astype(amax.dtype)


def equal_errors(rng, count):
    """Weights (float64) whose errors under k = 0 and k = 1 are the same numbers in another order.

    Mathematically a tie, so which k wins depends on the order of the float64 sums alone. Between
    1 and 1.25 the errors are (p, 1/4 - p); between 1.25 and 1.5 they are (1/4 - p, p).
    """
    p = rng.uniform(0.01, 0.24, (count, 4))
    w = np.zeros((count, 32))
    w[:, :4] = 1 + p
    w[:, 4:8] = 1.25 + (w[:, :4] - 1)
    w[:, 8:16] = rng.permuted(w[:, :8], axis=1)
    w[:, 16:24] = rng.permuted(w[:, :8], axis=1)
    w[:, 24] = 6
    return w


def sparse(rng, count, dtype=np.float32):
    """Mostly zeros and a few powers of two and their multiples: no error under many scales."""
    x = rng.choice([0.5, 1, 1.5, 2, 3, 4, 6, 7], (count, 32))
    x[rng.random((count, 32)) < 0.8] = 0
    x[::3, 8:] = 0
    x[::7] = 0
    return signed(rng, x * np.exp2(rng.integers(-20, 20, (count, 1)))).astype(dtype)
