"""Loop orders and tile sizes: what they move off chip, and the best of them.

A product of M rows, N channels and G groups is done in tiles of (tm, tn, tk). One tile of
activations, one of weights (and the next one, for they are double-buffered) and one of partial
sums are on chip. A tile is fetched when the loops come to it and it is not the one that is there;
a tile of partial sums that is left before its last group is written and later read again, as FP32.
"""

import itertools
from dataclasses import dataclass
from functools import cache

import numpy as np

from .storage import FP32

__all__ = ["ORDERS", "Buffers", "Product", "Tiling", "Traffic", "search", "traffic"]

#: Loop orders, the outermost first.
ORDERS = tuple("".join(order) for order in itertools.permutations("mnk"))


@dataclass(frozen=True)
class Product:
    """A product and the bits of its tensors.

    Attributes
    ----------
    m, n, groups : int
        Rows, channels, groups along K.
    activations, weights : float
        Bits of a group.
    result : float
        Bits of one result as it leaves for good.
    """

    m: int
    n: int
    groups: int
    activations: float
    weights: float
    result: float = FP32


@dataclass(frozen=True)
class Buffers:
    """Capacities on chip, in bits."""

    activations: int
    weights: int
    partials: int


@dataclass(frozen=True)
class Tiling:
    """A loop order, and the tile's rows, channels and groups."""

    order: str
    m: int
    n: int
    k: int

    def __str__(self) -> str:
        return f"{self.order} {self.m}x{self.n}x{self.k}"


@dataclass(frozen=True)
class Traffic:
    """What a tiling moves.

    Attributes
    ----------
    activations, weights : int
        How often each tensor is read.
    partials : int
        How often the partial sums are written and read again.
    bits : float
        All of it, with the results written once.
    """

    activations: int
    weights: int
    partials: int
    bits: float


#: The loops that a tensor's tile changes with, and the loop it is reused over.
_TENSORS = {"activations": ("mk", "n"), "weights": ("nk", "m"), "partials": ("mn", "k")}


def _repeats(order: str, counts: dict, tensor: str) -> np.ndarray:
    """Return how often the loops come to each tile of a tensor.

    Once for each turn of the loop it is reused over, if one of its own loops turns inside that.
    """
    own, reused = _TENSORS[tensor]
    inner = order[order.index(reused) + 1 :]
    turns = np.maximum.reduce([counts[loop] for loop in own if loop in inner] or [1])
    return np.where(turns > 1, counts[reused], 1)


def _evaluate(product: Product, order: str, counts: dict) -> tuple[np.ndarray, ...]:
    times = [_repeats(order, counts, tensor) for tensor in _TENSORS]
    bits = (
        times[0] * (product.m * product.groups * product.activations)
        + times[1] * (product.n * product.groups * product.weights)
        + (times[2] - 1) * (2 * FP32 * product.m * product.n)
        + product.m * product.n * product.result
    )
    return *times, bits


def traffic(product: Product, tiling: Tiling) -> Traffic:
    """Return what a tiling moves off chip."""
    counts = {
        "m": np.array(-(-product.m // tiling.m)),
        "n": np.array(-(-product.n // tiling.n)),
        "k": np.array(-(-product.groups // tiling.k)),
    }
    a, w, partials, bits = _evaluate(product, tiling.order, counts)
    return Traffic(int(a), int(w), int(partials) - 1, float(bits))


def _sizes(extent: int) -> np.ndarray:
    """Return the least tile size for every number of tiles an extent can be cut into."""
    sizes, size = [], 1
    while size < extent:
        sizes.append(size)
        # The next size with fewer tiles.
        size = -(-extent // (-(-extent // size) - 1))
    return np.array([*sizes, extent])


@cache
def search(
    product: Product, buffers: Buffers, orders: tuple[str, ...] = ORDERS, most: Tiling | None = None
) -> Tiling | None:
    """Return a tiling of least traffic among those that fit.

    Parameters
    ----------
    product : Product
    buffers : Buffers
    orders : tuple of str
        Loop orders to consider.
    most : Tiling or None
        Largest rows, channels and groups of a tile.

    Returns
    -------
    Tiling or None
        Of equal ones the first order, then the fewest tiles; None if not one group fits.

    Notes
    -----
    Exact: only the numbers of tiles matter, so of all sizes with the same number the least will
    do; and traffic never falls with more tiles, so of the channels that fit the most will do.
    """
    m, k = (s.ravel() for s in np.meshgrid(_sizes(product.m), _sizes(product.groups)))
    n = np.minimum(buffers.partials // (FP32 * m), product.n)
    n = np.minimum(n, np.floor(buffers.weights / (2 * product.weights * k)).astype(int))
    fits = (n > 0) & (m * k * product.activations <= buffers.activations)
    if most is not None:
        fits &= (m <= most.m) & (k <= most.k)
        n = np.minimum(n, most.n)
    m, n, k = m[fits], n[fits], k[fits]
    if not len(m):
        return None
    counts = {"m": -(-product.m // m), "n": -(-product.n // n), "k": -(-product.groups // k)}
    tiles = counts["m"] * counts["n"] * counts["k"]
    found = []
    for place, order in enumerate(orders):
        bits = _evaluate(product, order, counts)[-1]
        best = np.lexsort((tiles, bits))[0]
        found.append((bits[best], place, best))
    _, place, best = min(found)
    return Tiling(orders[place], int(m[best]), int(n[best]), int(k[best]))
