import numpy as np
import pytest

import golden
from hdl import formats
from hdl.core import GemmCore, Refusal
from sim import core as sim_core
from sim import engines

#: Rows, groups, channels, panel, accumulate: full and short blocks, tiles and panels.
SHAPES = [
    (1, 1, 1, 0, False),
    (4, 2, 3, 0, False),
    (9, 3, 7, 2, False),
    (9, 3, 7, 0, True),
    (5, 1, 2, 1, True),
    (7, 10, 8, 0, False),
]


def quantized(rng, role, rows, groups):
    x = rng.standard_t(3, (rows, 32 * groups)).astype(np.float32)
    return golden.quantize(x, role)


def run(core, shapes, stall=0.0):
    """Run commands back to back and compare every bit; return their status records."""
    rng = np.random.default_rng(1)
    gemms, frames, expected = [], {"activations": [], "weights": [], "c": []}, []
    for tag, (m, groups, n, panel, accumulate) in enumerate(shapes):
        gemm = sim_core.Gemm.on(core, m, groups, n, tag=tag, panel=panel, accumulate=accumulate)
        a, w = quantized(rng, "activations", m, groups), quantized(rng, "weights", n, groups)
        c = rng.standard_normal((m, n)).astype(np.float32) if accumulate else None
        frames["activations"].append(
            sim_core.framed(gemm.activation_beats(golden.group_words(a)), 144)
        )
        frames["weights"].append(sim_core.framed(gemm.weight_beats(golden.group_words(w)), 144))
        if accumulate:
            frames["c"].append(sim_core.framed(gemm.c_beats(c), 32 * core.columns))
        gemms.append(gemm)
        expected.append(golden.accumulate(a, w, c))
    done = engines.get("fast").run_streams(
        core,
        {"commands": sim_core.command_beats(gemms)}
        | {name: np.concatenate(parts) for name, parts in frames.items() if parts},
        {
            "results": sum(gemm.result_beats for gemm in gemms),
            "status": sim_core.STATUS_WORDS * len(gemms),
        },
        stall=stall,
        drain=64,
    )
    ends = np.cumsum([gemm.result_beats for gemm in gemms])[:-1]
    results = np.split(done.outputs["results"], ends)
    for gemm, beats, want in zip(gemms, results, expected, strict=True):
        got = gemm.untile(beats[:, : core.columns])
        np.testing.assert_array_equal(got.view(np.uint32), want.view(np.uint32))
    return sim_core.statuses(done.outputs["status"])


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_commands_in_sequence(stall):
    core = GemmCore(formats.get("m2xfp"), columns=3, rows=4, buffer_groups=40, accumulate=True)
    records = run(core, SHAPES, stall)
    for tag, (record, shape) in enumerate(zip(records, SHAPES, strict=True)):
        m, groups, n = shape[:3]
        assert (record.tag, record.refusal, record.flags.as_bits()) == (tag, Refusal.NONE, 0)
        assert record.macs == m * groups * 32 * n
        assert record.groups == m * groups * -(-n // 3)
