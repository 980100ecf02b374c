import random

import numpy as np
import pytest

from sim import engines
from sim.engines.words import from_ints, to_ints
from tests.sim.components import Example, Fault, Inverter, Join

#: Engines that need no process of their own: cheap enough for every test.
QUICK = ("amaranth", "fast")


@pytest.fixture(scope="module")
def example():
    """One component for all tests, which the fast engine exports once."""
    return Example()


def pairs_and_sums(count):
    random.seed(count)
    pairs = [(random.getrandbits(40), random.getrandbits(40)) for _ in range(count)]
    beats = from_ints([a | b << 40 for a, b in pairs], 3)
    return beats, [a + b for a, b in pairs]


def add(name, example, stall, count=40, **options):
    beats, sums = pairs_and_sums(count)
    run = engines.get(name).run_streams(
        example, {"pairs": beats}, {"sums": count}, stall=stall, seed=5, drain=5, **options
    )
    assert to_ints(run.outputs["sums"]) == sums
    return run.cycles, run.first, run.last


@pytest.mark.parametrize("stall", [0.0, 0.5, {"sums": 0.9}, {"pairs": 0.9}])
def test_all_engines_agree_to_the_cycle(example, stall, tmp_path):
    # With waveforms, so that the cocotb simulator is built once for this file.
    runs = {name: add(name, example, stall, vcd=tmp_path / name) for name in engines.NAMES}
    assert runs["fast"] == runs["amaranth"] == runs["verilator"]
    for name in engines.NAMES:
        text = (tmp_path / name).read_text()
        assert "$enddefinitions" in text
        assert "sums__payload" in text
        # Every cycle has two clock edges, in whatever units of time.
        assert text.count("\n#") >= 2 * runs[name][0] - 1


@pytest.mark.parametrize("name", QUICK)
def test_unstalled_streams_take_a_cycle_a_payload(example, name):
    cycles, first, last = add(name, example, 0.0)
    assert cycles == 41
    assert (first, last) == ({"pairs": 0, "sums": 1}, {"pairs": 39, "sums": 40})


@pytest.mark.parametrize("name", QUICK)
def test_seeds_change_the_pauses(example, name):
    beats, _ = pairs_and_sums(20)
    engine = engines.get(name)
    cycles = {
        engine.run_streams(example, {"pairs": beats}, {"sums": 20}, stall=0.5, seed=seed).cycles
        for seed in range(8)
    }
    assert len(cycles) > 1


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_arrays_nested_ports_and_no_clock(stall):
    """A payload leaves in the cycle it enters: valid and ready settle within a cycle."""
    left, right = np.arange(20, dtype=np.uint32), np.arange(20, dtype=np.uint32)[::-1]
    runs = [
        engines.get(name).run_streams(
            Join(),
            {"sources__0": left, "sources__1": right.copy()},
            {"nested__joined": 20},
            stall=stall,
        )
        for name in QUICK
    ]
    for run in runs:
        np.testing.assert_array_equal(run.outputs["nested__joined"][:, 0], left | right << 5)
    assert runs[0].cycles == runs[1].cycles
    assert runs[0].last == runs[1].last


def test_a_component_that_is_left_alone(example):
    for name in QUICK:
        run = engines.get(name).run_streams(example, {}, {})
        assert (run.cycles, run.first) == (1, {"pairs": -1, "sums": -1})
        assert run.outputs["sums"].shape == (0, 2)


@pytest.mark.parametrize("name", engines.NAMES)
def test_pipeline(example, name, tmp_path):
    random.seed(1)
    a = [random.getrandbits(33) for _ in range(50)]
    b = [random.getrandbits(7) for _ in range(50)]
    inputs = {"a": from_ints(a, 2), "b": np.array(b, np.uint32)}
    results = engines.get(name).run_pipeline(
        example, inputs, ["product", "low"], 3, vcd=tmp_path / "waves"
    )
    products = [x * y for x, y in zip(a, b, strict=True)]
    assert to_ints(results["product"]) == products
    assert results["low"][:, 0].tolist() == [product % 8 for product in products]
    assert "product" in (tmp_path / "waves").read_text()


@pytest.mark.parametrize("name", QUICK)
def test_pipeline_with_a_constant(example, name):
    inputs = {"a": from_ints([3, 2**32], 2)}
    results = engines.get(name).run_pipeline(example, inputs, ["product"], 3, constants={"b": 5})
    assert to_ints(results["product"]) == [15, 5 * 2**32]


@pytest.mark.parametrize("name", QUICK)
def test_combinational_pipeline(name):
    values = np.arange(2**16, dtype=np.uint32)[:: 1 if name == "fast" else 999]
    results = engines.get(name).run_pipeline(Inverter(), {"i": values}, ["o"], 0)
    np.testing.assert_array_equal(results["o"][:, 0], 0xFFFF - values)


@pytest.mark.parametrize("name", QUICK)
def test_progress_counts_transfers(example, name):
    seen = []
    beats, _ = pairs_and_sums(600)
    engines.get(name).run_streams(
        example, {"pairs": beats}, {"sums": 600}, progress=lambda *args: seen.append(args)
    )
    assert seen
    assert all(moved <= total == 1200 for moved, total in seen)


def test_constants_reach_the_component(example):
    """A fault that is not asked for does not happen, one that is does."""
    sevens = from_ints([7], 3)
    for name in QUICK:
        engine = engines.get(name)
        constants = {"fault": Fault.REPEATS.value}
        run = engine.run_streams(example, {"pairs": sevens}, {"sums": 2}, constants=constants)
        assert to_ints(run.outputs["sums"]) == [7, 7]


def test_unknown_engine():
    with pytest.raises(
        ValueError, match=r"^Engine must be one of fast, amaranth, verilator, not 'icarus'$"
    ):
        engines.get("icarus")
