"""The search against brute force: a walk through the loops that counts what it fetches."""

import itertools
import random

import pytest

from sim.model.storage import FP32
from sim.model.tiling import ORDERS, Buffers, Product, Tiling, search, traffic


def walk(product, tiling):
    """Do every turn of the loops and count the bits that cross the edge of the chip."""
    steps = {"m": tiling.m, "n": tiling.n, "k": tiling.k}
    ends = {"m": product.m, "n": product.n, "k": product.groups}
    bits = 0
    on_chip = {"a": None, "w": None, "c": None}
    groups_done = {}
    for starts in itertools.product(*(range(0, ends[x], steps[x]) for x in tiling.order)):
        at = dict(zip(tiling.order, starts, strict=True))
        size = {x: min(steps[x], ends[x] - at[x]) for x in at}
        if on_chip["a"] != (at["m"], at["k"]):
            on_chip["a"] = (at["m"], at["k"])
            bits += size["m"] * size["k"] * product.activations
        if on_chip["w"] != (at["n"], at["k"]):
            on_chip["w"] = (at["n"], at["k"])
            bits += size["n"] * size["k"] * product.weights
        tile = (at["m"], at["n"])
        if on_chip["c"] != tile:
            if on_chip["c"] in groups_done:
                rows, channels, done = groups_done[on_chip["c"]]
                bits += rows * channels * FP32 * (done < product.groups)
            bits += size["m"] * size["n"] * FP32 * (tile in groups_done)
            on_chip["c"] = tile
        done = groups_done.get(tile, (0, 0, 0))[2] + size["k"]
        groups_done[tile] = (size["m"], size["n"], done)
        if done == product.groups:
            bits += size["m"] * size["n"] * product.result
    assert all(done == product.groups for _, _, done in groups_done.values())
    return bits


def fits(product, buffers, tiling):
    return (
        tiling.m * tiling.k * product.activations <= buffers.activations
        and 2 * tiling.n * tiling.k * product.weights <= buffers.weights
        and tiling.m * tiling.n * FP32 <= buffers.partials
    )


def every_tiling(product):
    sizes = (range(1, end + 1) for end in (product.m, product.n, product.groups))
    return [Tiling(order, *tile) for tile in itertools.product(*sizes) for order in ORDERS]


SHAPES = [(1, 1, 1), (1, 5, 4), (6, 1, 3), (5, 4, 1), (2, 7, 3), (6, 5, 4), (4, 6, 6)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_traffic_of_every_tiling(shape):
    product = Product(*shape, activations=144, weights=136, result=4.5)
    for tiling in every_tiling(product):
        assert traffic(product, tiling).bits == walk(product, tiling), tiling


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_the_search_is_exact(shape):
    rng = random.Random(str(shape))
    for bits_a, bits_w, result in ((144, 144, 32), (136, 264, 4.5), (17.5, 144, 32)):
        product = Product(*shape, activations=bits_a, weights=bits_w, result=result)
        moved = {tiling: walk(product, tiling) for tiling in every_tiling(product)}
        for _ in range(8):
            buffers = Buffers(
                rng.randrange(1, 18) * 80, rng.randrange(1, 18) * 160, rng.randrange(1, 25) * 32
            )
            possible = [tiling for tiling in moved if fits(product, buffers, tiling)]
            found = search(product, buffers)
            if not possible:
                assert found is None
                continue
            assert fits(product, buffers, found)
            assert moved[found] == min(moved[tiling] for tiling in possible)


def test_limits_of_the_search():
    product = Product(6, 5, 4, activations=144, weights=144)
    buffers = Buffers(10**6, 10**6, 10**6)
    most = Tiling("mkn", 3, 2, 2)
    found = search(product, buffers, orders=("mkn",), most=most)
    moved = {
        tiling: walk(product, tiling)
        for tiling in every_tiling(product)
        if tiling.order == "mkn" and tiling.m <= 3 and tiling.n <= 2 and tiling.k <= 2
    }
    assert moved[found] == min(moved.values())
    assert search(product, buffers) == Tiling("mnk", 6, 5, 4)


def test_counts_of_the_tensors():
    product = Product(8, 6, 4, activations=100, weights=100)
    moved = traffic(product, Tiling("mkn", 4, 3, 2))
    assert (moved.activations, moved.weights, moved.partials) == (1, 2, 1)
    assert str(Tiling("mkn", 4, 3, 2)) == "mkn 4x3x2"
