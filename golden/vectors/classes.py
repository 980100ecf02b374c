"""The classes of input that vectors are drawn from, each aimed at one kind of mistake.

A class draws pairs of groups, activations x and weights w, both float32 of shape (n, 32).
"""

import numpy as np

from ..codes import E2M1_VALUES, E2M3_VALUES

GROUP = 32


def random(rng, n):
    """Draw normal values under exponents that differ from group to group."""
    x, w = rng.standard_normal((2, n, GROUP)) * np.exp2(rng.integers(-8, 9, (2, n, 1)))
    return x.astype(np.float32), w.astype(np.float32)


def heavy_tails(rng, n):
    """Draw Student's t with outliers a thousand times the rest, over the whole exponent range."""
    x, w = rng.standard_t(1.5, (2, n, GROUP)) * np.exp2(rng.integers(-100, 80, (2, n, 1)))
    outlier = rng.integers(0, GROUP, n)
    x[np.arange(n), outlier] *= 1024
    return x.astype(np.float32), w.astype(np.float32)


def ties(rng, n):
    """Draw midpoints of E2M1 and E2M3, for weights times 1 + k/4; many equal magnitudes."""
    points = np.concatenate([_midpoints(E2M1_VALUES), _midpoints(E2M3_VALUES), E2M1_VALUES])
    magnitudes = rng.choice(points, (2, n, GROUP))
    magnitudes[1] *= 1 + rng.integers(0, 4, (n, GROUP)) / 4
    magnitudes[:, :, ::8] = 6  # pins the shared exponent, and ties the top-1 of half the rows
    magnitudes[:, ::2, 5::8] = 6
    return _signed(rng, magnitudes * np.exp2(rng.integers(-20, 20, (2, n, 1))))


def binade_edges(rng, n):
    """Draw amax one unit in the last place around a power of two, and around 1.5 of it."""
    magnitudes = rng.uniform(0, 1, (2, n, GROUP))
    edge = rng.choice([1, 1.5, 2], (2, n)).astype(np.float32)
    edge = (edge.view(np.uint32) + rng.integers(-1, 2, (2, n)).astype(np.uint32)).view(np.float32)
    magnitudes[:, np.arange(n), rng.integers(0, GROUP, n)] = edge
    return _signed(rng, magnitudes * np.exp2(rng.integers(-126, 126, (2, n, 1))))


def subnormals(rng, n):
    """Draw magnitudes around and below the least normal float32, and exponents at the clamp."""
    magnitudes = rng.uniform(0, 1, (2, n, GROUP)) * np.exp2(rng.integers(-149, -118, (2, n, 1)))
    # Partners large enough that products reach the FP32 subnormals from both sides.
    magnitudes[1] *= np.exp2(rng.integers(-10, 140, (n, 1)))
    magnitudes[:, rng.random(n) < 0.1] = 0
    return _signed(rng, magnitudes)


def cancellation(rng, n):
    """Draw pairs of opposite products, so that group sums are zero or almost."""
    x, w = random(rng, n)
    x[:, GROUP // 2 :] = -x[:, : GROUP // 2]
    w[:, GROUP // 2 :] = w[:, : GROUP // 2]
    spoiled = rng.random(n) < 0.5
    x[spoiled, 0] *= np.float32(1.25)
    return x, w


def nan(rng, n):
    """Draw NaN, infinities and zeros among ordinary groups, on one side or both."""
    pair = np.stack(random(rng, n))
    pair[rng.random((2, n)) < 0.2] = 0
    special = np.array([np.nan, np.inf, -np.inf], np.float32)
    chosen = rng.random((2, n)) < 0.4
    lanes = rng.integers(0, GROUP, (2, n))
    sides, rows = np.nonzero(chosen)
    pair[sides, rows, lanes[chosen]] = rng.choice(special, len(rows))
    return pair[0], pair[1]


def _midpoints(grid):
    return (grid[1:] + grid[:-1]) / 2


def _signed(rng, magnitudes):
    signs = rng.choice([-1.0, 1.0], magnitudes.shape)
    x, w = (magnitudes * signs).astype(np.float32)
    return x, w


#: Class name -> generator.
CLASSES = {
    generator.__name__: generator
    for generator in (random, heavy_tails, ties, binade_edges, subnormals, cancellation, nan)
}
