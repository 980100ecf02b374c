"""The model's cycles are the gateware's, to the cycle."""

import numpy as np
import pytest

import golden
from sim import engines, gemm
from sim.model import schedule
from sim.model.machine import Machine
from sim.model.network import Layer
from sim.model.storage import Fallback
from sim.model.tiling import Tiling

ROWS = 8


def simulated(format, columns, m, n, k):
    """Return the cycles from the first to the last operand of a product in the fast engine."""
    rng = np.random.default_rng(m + n)
    a = golden.quantize(
        rng.standard_normal((m, k)).astype(np.float32), "activations", format=format
    )
    w = golden.quantize(rng.standard_normal((n, k)).astype(np.float32), "weights", format=format)
    done = gemm.run(a, w, engines.get("fast"), columns=columns, rows=ROWS)
    assert not len(done.mismatches)
    return done.operand_cycles


@pytest.mark.parametrize(("format", "columns"), [("m2xfp", 2), ("nvfp4", 4)])
@pytest.mark.parametrize("m", [1, 5, 6, 7, 8, 9, 17])
def test_products_around_every_edge(format, columns, m):
    """Rows against row distance, columns and blocks; channels and groups against theirs."""
    machine = Machine(lanes=32, columns=2, rows=ROWS)
    assert machine.tile_columns(format) == columns
    group = golden.formats.get(format).group
    for n in (1, columns - 1, columns, columns + 1, 2 * columns + 1):
        for groups in (1, 2, 3):
            found = schedule.product_cycles(machine, format, m, n, groups, ROWS)
            assert found == simulated(format, columns, m, n, groups * group), (n, groups)


@pytest.mark.parametrize("m", [1, 8, 11])
def test_a_layer_is_its_products(m):
    """With K in blocks of two groups and one left over, each is a product of its own."""
    machine = Machine(lanes=32, columns=2, rows=ROWS)
    tiling = Tiling(schedule.ORDER, ROWS, 2, 2)
    layer = Layer("any", n=3, k=5 * 32)
    found = schedule.layer_cycles(machine, "m2xfp", layer, m, 5, tiling, Fallback())
    assert found == 2 * simulated("m2xfp", 2, m, 3, 64) + simulated("m2xfp", 2, m, 3, 32)


def test_eight_bits_are_two_sets_and_two_passes():
    """An 8-bit layer takes what a layer of twice the rows a block and twice the groups takes."""
    machine = Machine(lanes=32, columns=2, rows=4)
    tiling = Tiling(schedule.ORDER, 4, 2, 2)
    layer = Layer("any", n=3, k=64)
    cycles = {
        (w, a): schedule.layer_cycles(machine, "m2xfp", layer, 4, 2, tiling, Fallback(w, a))
        for w in (0, 1)
        for a in (0, 1)
    }
    assert cycles[1, 0] == simulated("m2xfp", 2, 4, 3, 128)
    assert cycles[0, 1] == simulated("m2xfp", 2, 8, 3, 64)
    assert cycles[1, 1] == simulated("m2xfp", 2, 8, 3, 128)


@pytest.mark.parametrize(
    ("weights", "activations", "passes"),
    [(0, 0, 1), (1, 1, 4), (1, 0, 2), (0, 1, 2), (0.25, 0.25, 1.75), (0.5, 0.25, 2.0)],
)
def test_passes_of_four_bits(weights, activations, passes):
    """With equal shares s it is 1 + 3 s; 0.5 and 0.25 are half once, a quarter twice and four."""
    fallback = Fallback(weights, activations)
    assert schedule.passes(fallback) == passes
    assert sum(schedule.shares(fallback).values()) == 1
