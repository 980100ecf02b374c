import functools
import re

import numpy as np
import pytest

import golden
from hdl import formats
from hdl.fabric import Fabric
from hdl.tile import SystolicTile
from sim import engines

from .operands import pack

#: One size of tile for all tests: what differs is compiled again.
ROWS = 16


def quantized(role, rows, groups, name, seed):
    """A quantized matrix with heavy tails, zero groups and one NaN group."""
    rng = np.random.default_rng(seed)
    group = formats.get(name).lanes
    x = rng.standard_t(2, (rows, groups, group)).astype(np.float32)
    x *= np.exp2(rng.integers(-8, 8, (rows, groups, 1))).astype(np.float32)
    x[rng.random((rows, groups)) < 0.1] = 0
    x[-1, -1, 3] = np.nan
    return golden.quantize(x.reshape(rows, -1), role, format=name)


def beats(a, w, format, columns):
    """Weight words and activation beats of A * W^T, N a multiple of the columns."""
    rows, groups = a.scales.shape
    a_words, w_words = golden.group_words(a), golden.group_words(w)
    weights, activations = [], []
    for start in range(0, len(w_words), columns):
        for group in range(groups):
            weights.append(w_words[start : start + columns, group])
            fields = [(a_words[:, group, i], 32) for i in range(format.group.size // 32)]
            if format.group.size % 32:
                fields.append((a_words[:, group, -1], format.group.size % 32))
            flags = np.zeros((3, rows), np.uint8)
            flags[0], flags[1], flags[2, -1] = group == 0, group == groups - 1, 1
            activations.append(pack(fields + [(flag, 1) for flag in flags]))
    return np.concatenate(weights), np.concatenate(activations)


def run_tile(tile, a, w, engine="fast", **options):
    """Return the (M, N) bits of the tile's results and the run."""
    weights, activations = beats(a, w, tile.format, tile.columns)
    count = a.shape[0] * (w.shape[0] // tile.columns)
    run = engines.get(engine).run_streams(
        tile, {"weights": weights, "activations": activations}, {"results": count}, **options
    )
    blocks = run.outputs["results"].reshape(-1, a.shape[0], tile.columns)
    return np.concatenate(list(blocks), axis=1), run


@functools.cache
def tile_of(name, columns, fabric=Fabric.GATES):
    """Return a tile, the same one for the same parameters: it is exported once."""
    return SystolicTile(formats.get(name, fabric), columns=columns, rows=ROWS)


def check_tile(name, rows, groups, columns, blocks=2, fabric=Fabric.GATES, **options):
    a = quantized("activations", rows, groups, name, seed=rows)
    w = quantized("weights", columns * blocks, groups, name, seed=columns)
    tile = tile_of(name, columns, fabric)
    got, run = run_tile(tile, a, w, **options)
    np.testing.assert_array_equal(got, golden.accumulate(a, w).view(np.uint32))
    return run


# Rows below, at and above the row distance, and on either side of the columns.
@pytest.mark.parametrize(("rows", "groups", "columns"), [(1, 3, 1), (6, 2, 3), (13, 3, 3)])
def test_every_result_bit(rows, groups, columns):
    check_tile("m2xfp", rows, groups, columns)


def test_every_result_bit_in_amaranth():
    check_tile("m2xfp", 3, 3, 2, blocks=3, engine="amaranth")
    check_tile("m2xfp", 7, 3, 2, engine="amaranth", stall=0.3, drain=50)


def test_multipliers_in_amaranth():
    check_tile("m2xfp_sg", 3, 3, 2, blocks=3, engine="amaranth")


@pytest.mark.parametrize("seed", range(5))
def test_random_stalls_lose_nothing(seed):
    check_tile("m2xfp", 5, 4, 3, blocks=4, stall=0.4, seed=seed, drain=50)


@pytest.mark.parametrize("name", [name for name in formats.names() if name != "m2xfp"])
@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_twins(name, stall):
    check_tile(name, 5, 4, 3, blocks=4, stall=stall)


@pytest.mark.parametrize("name", formats.names())
def test_every_result_bit_in_luts(name):
    check_tile(name, 5, 4, 3, blocks=4, fabric=Fabric.LUTS, stall=0.2)


def test_every_result_bit_in_luts_in_amaranth():
    # As many rows as to follow each other across a swap of the weights.
    check_tile("m2xfp", 9, 2, 2, fabric=Fabric.LUTS, engine="amaranth")


def test_slow_results_reserve_their_slots():
    """Results that wait long: beats stop entering, nothing is overwritten."""
    check_tile("m2xfp", 16, 1, 3, blocks=8, stall={"results": 0.95})


@pytest.mark.parametrize(
    ("rows", "columns"), [(1, 1), (5, 1), (6, 1), (7, 1), (1, 8), (7, 8), (8, 8), (9, 8)]
)
@pytest.mark.parametrize("fabric", Fabric)
def test_cycles(rows, columns, fabric):
    """A set of weights lasts for the longest of its rows, its columns and the row distance."""
    groups, blocks = 5, 2
    run = check_tile("m2xfp", rows, groups, columns, blocks=blocks, fabric=fabric)
    tile = tile_of("m2xfp", columns, fabric)
    period = max(rows, columns, tile.row_distance)
    sets = groups * blocks
    assert run.last["activations"] - run.first["activations"] == (sets - 1) * period + rows - 1
    assert run.last["results"] - run.last["activations"] == tile.latency


@pytest.mark.parametrize("starved", ["weights", "activations"])
def test_starved_stream_in_amaranth(starved):
    """Long pauses between beats, and in the middle of a set of weights."""
    check_tile("m2xfp", 3, 4, 2, engine="amaranth", stall={starved: 0.85})


def test_slow_results_in_amaranth():
    check_tile("m2xfp", 16, 1, 1, blocks=8, engine="amaranth", stall={"results": 0.9})


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"columns": 0, "rows": 1}, ValueError, "Columns must be a positive integer, not 0"),
        ({"columns": 1, "rows": -1}, ValueError, "Rows must be a positive integer, not -1"),
        ({"columns": 1.5, "rows": 1}, TypeError, "Columns must be a positive integer, not 1.5"),
    ],
)
def test_sizes_are_checked(arguments, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        SystolicTile(formats.get("m2xfp"), **arguments)


def test_format_is_checked():
    with pytest.raises(TypeError, match=r"^Format must be a gateware format, not None$"):
        SystolicTile(None, columns=1, rows=1)
