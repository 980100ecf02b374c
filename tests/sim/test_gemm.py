import numpy as np
import pytest

import golden
from sim import engines, gemm
from sim.gemm import Plan

SIZE = {"columns": 2, "rows": 4}


def operands(m, n, k, format="m2xfp", seed=0):
    """Heavy-tailed tensors with a NaN group, an infinite one, zeros and subnormals."""
    rng = np.random.default_rng(seed)
    a, w = (rng.standard_t(2, (size, k)).astype(np.float32) for size in (m, n))
    a[0, 3], a[-1, :32], w[-1, -1], w[0, :32] = np.nan, 0, np.inf, 2.0**-140
    return (
        golden.quantize(a, "activations", format=format),
        golden.quantize(w, "weights", format=format),
    )


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_all_engines_agree(stall):
    """Two blocks of rows, the last short; one column, which is enough to tell engines apart."""
    a, w = operands(18, 2, 64)
    runs = [
        gemm.run(a, w, engines.get(name), stall=stall, seed=7, columns=1, rows=16)
        for name in engines.NAMES
    ]
    for run in runs:
        assert run.mismatches.shape == (0, 2)
        np.testing.assert_array_equal(
            run.result.view(np.uint32), golden.matmul(a, w).view(np.uint32)
        )
        assert np.isnan(run.result).any()
    assert len({(run.cycles, run.operand_cycles) for run in runs}) == 1


@pytest.mark.parametrize(("m", "n", "k"), [(1, 1, 32), (4, 4, 160), (9, 3, 64), (13, 5, 32)])
def test_shapes(m, n, k):
    run = gemm.run(*operands(m, n, k), engines.get("fast"), **SIZE)
    assert not len(run.mismatches)
    assert run.result.shape == (m, n)
    assert run.result.dtype == np.float32


def test_figures():
    a, w = operands(4, 2, 64)
    run = gemm.run(a, w, engines.get("fast"), **SIZE)
    assert run.plan.macs == 4 * 2 * 64
    assert run.macs_per_cycle == 4 * 2 * 64 / run.operand_cycles
    assert run.utilization == run.macs_per_cycle / 64
    assert run.cycles > run.operand_cycles


def test_weights_follow_the_plan():
    _, w = operands(1, 3, 64)
    words = golden.group_words(w)
    beats = gemm.weight_beats(w, Plan(m=5, n=3, groups=2, lanes=32, columns=2, rows=4))
    zero = np.zeros(5, np.uint32)
    once = [words[0, 0], words[1, 0], words[0, 1], words[1, 1]]
    once += [words[2, 0], zero, words[2, 1], zero]
    np.testing.assert_array_equal(beats, once * 2)


def test_activations_follow_the_plan():
    a, _ = operands(5, 1, 64)
    words = golden.group_words(a)
    beats = gemm.activation_beats(a, Plan(m=5, n=3, groups=2, lanes=32, columns=2, rows=4))
    order = [(row, group) for group in (0, 1) for row in range(4)] * 2
    order += [(4, 0), (4, 1)] * 2
    np.testing.assert_array_equal(beats[:, :4], [words[place][:4] for place in order])
    np.testing.assert_array_equal(beats[:, 4] & 0xFFFF, [words[place][4] for place in order])
    flags = [(group == 0) | (group == 1) << 1 | (row in (3, 4)) << 2 for row, group in order]
    np.testing.assert_array_equal(beats[:, 4] >> 16, flags)


def test_results_find_their_places():
    plan = Plan(m=3, n=3, groups=1, lanes=32, columns=2, rows=2)
    place = {(row, channel): 10 * row + channel for row in range(3) for channel in range(4)}
    blocks = [(rows, start) for rows in ((0, 1), (2,)) for start in (0, 2)]
    beats = [[place[row, start], place[row, start + 1]] for rows, start in blocks for row in rows]
    result = gemm.untile(np.array(beats, np.uint32), plan)
    want = [[place[row, channel] for channel in range(3)] for row in range(3)]
    np.testing.assert_array_equal(result.view(np.uint32), want)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 32), (2, 64)), r"^K must agree, not 32 in the activations and 64 in the weights$"),
        (((1, 2, 32), (2, 32)), r"^Left operand must have two axes, not shape \(1, 2, 32\)$"),
    ],
)
def test_operands_that_do_not_fit(shapes, message):
    a, w = (np.ones(shape, np.float32) for shape in shapes)
    pair = golden.quantize(a, "activations"), golden.quantize(w, "weights")
    with pytest.raises(golden.InputError, match=message):
        gemm.run(*pair, engines.get("fast"), **SIZE)
