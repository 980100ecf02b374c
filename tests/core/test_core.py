import re

import numpy as np
import pytest

from hdl import formats
from hdl.core import GemmCore, Output, Refusal
from sim.core import Gemm, command_beats

from .running import Job, check, job

#: Rows, groups, channels, panel, accumulate: full and short blocks, tiles and panels.
SHAPES = [
    (1, 1, 1, 0, False),
    (4, 2, 3, 0, False),
    (9, 3, 7, 2, False),
    (9, 3, 7, 0, True),
    (5, 1, 2, 1, True),
    (7, 10, 8, 0, False),
]
SMALL = {"columns": 2, "rows": 2, "buffer_groups": 6}

#: TLAST in the last word of a payload, by stream.
TLAST = {"activations": np.uint32(1 << 16), "weights": np.uint32(1 << 16), "c": np.uint32(1)}


def small(**options):
    """Return a core that Amaranth's own simulator runs in seconds."""
    return GemmCore(formats.get("m2xfp"), **SMALL, **options)


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_commands_in_sequence(stall):
    core = GemmCore(formats.get("m2xfp"), columns=3, rows=4, buffer_groups=40, accumulate=True)
    rng = np.random.default_rng(1)
    jobs = [job(core, rng, *shape, tag=tag) for tag, shape in enumerate(SHAPES)]
    for record, (m, groups, n, *_) in zip(check(core, jobs, stall=stall), SHAPES, strict=True):
        assert (record.refusal, record.flags.as_bits()) == (Refusal.NONE, 0)
        assert record.macs == m * groups * 32 * n
        assert record.groups == m * groups * -(-n // 3)


def test_blocks_tiles_and_panels_in_amaranth():
    core, rng = small(), np.random.default_rng(2)
    shapes = [(3, 3, 3, 2), (2, 3, 2, 1), (1, 2, 3, 0)]
    jobs = [job(core, rng, *shape, tag=250 + tag) for tag, shape in enumerate(shapes)]
    for record, (m, groups, n, _) in zip(check(core, jobs, "amaranth"), shapes, strict=True):
        assert (record.refusal, record.flags.as_bits()) == (Refusal.NONE, 0)
        assert record.macs == m * groups * 32 * n
        assert record.groups == m * groups * -(-n // 2)
        assert record.nan_results == 0


def test_c_in_amaranth():
    """C beside commands without: the stream is not touched by those."""
    core, rng = small(accumulate=True), np.random.default_rng(3)
    jobs = [job(core, rng, 3, 2, 3, accumulate=bool(tag % 2), tag=tag) for tag in range(4)]
    check(core, jobs, "amaranth", stall=0.2, seed=1)


@pytest.mark.parametrize("name", formats.names())
def test_every_format_and_its_nan_in_amaranth(name):
    core, rng = GemmCore(formats.get(name), **SMALL), np.random.default_rng(10)
    cases = [(), ("activations",), ("weights",)]
    jobs = [job(core, rng, 2, 2, 3, nan=nan) for nan in cases]
    for record, made, nan in zip(check(core, jobs, "amaranth"), jobs, cases, strict=True):
        assert record.nan_results == np.isnan(made.expected).sum()
        flags = {name: record.flags[f"{name}_nan"] for name in ("activations", "weights")}
        assert {name for name, raised in flags.items() if raised} == set(nan)
        assert record.macs == 2 * 2 * core.format.lanes * 3


def test_slow_results_in_amaranth():
    core, rng = small(), np.random.default_rng(4)
    (record,) = check(core, [job(core, rng, 4, 2, 4)], "amaranth", stall={"results": 0.8})
    assert record.stalled_results > 8
    assert (record.stalled_activations, record.stalled_weights) == (0, 0)


def test_starved_streams_in_amaranth():
    core, rng = small(), np.random.default_rng(5)
    for name in ("activations", "weights"):
        (record,) = check(core, [job(core, rng, 2, 2, 2)], "amaranth", stall={name: 0.8})
        stalls = {"activations": record.stalled_activations, "weights": record.stalled_weights}
        assert stalls.pop(name) > 4
        assert list(stalls.values()) == [0]
        assert record.stalled_results == 0


def test_starved_c_in_amaranth():
    core, rng = small(accumulate=True), np.random.default_rng(9)
    work = [job(core, rng, 2, 1, 4, accumulate=True)]
    (record,) = check(core, work, "amaranth", stall={"c": 0.9}, seed=1)
    assert record.stalled_c > 8
    assert (record.stalled_activations, record.stalled_weights) == (0, 0)


def test_late_tlast_in_amaranth():
    """Surplus beats are dropped, and the next command begins with the next frame."""
    core, rng = small(accumulate=True), np.random.default_rng(6)
    for number, name in enumerate(("activations", "weights", "c")):
        jobs = [job(core, rng, 2, 2, 3, accumulate=True, tag=tag) for tag in (1, 2)]
        beats = jobs[0].frames[name]
        without_last = beats[-1:].copy()
        without_last[:, -1] &= ~TLAST[name]
        jobs[0].frames[name] = np.concatenate([beats[:-1], without_last, beats[:1], beats[-1:]])
        flags = [record.flags.as_bits() for record in check(core, jobs, "amaranth")]
        assert flags == [2 << 2 * number, 0]


def _no_second_row(x, y, c):
    x[1] = 0


def _no_second_group(x, y, c):
    y[:, 32:] = 0


def _no_second_row_of_c(x, y, c):
    c[1] = 0


def test_early_tlast_in_amaranth():
    """Zeros take the place of beats that are missing, and the next command is whole."""
    core, rng = small(accumulate=True), np.random.default_rng(7)
    edits = {"activations": _no_second_row, "weights": _no_second_group, "c": _no_second_row_of_c}
    for number, (name, edit) in enumerate(edits.items()):
        jobs = [
            job(core, rng, 2, 2, 2, accumulate=True, tag=1, edit=edit),
            job(core, rng, 2, 2, 2, accumulate=True, tag=2),
        ]
        whole = jobs[0].frames[name]
        cut = whole[: len(whole) // 2].copy()
        cut[-1, -1] |= TLAST[name]
        jobs[0].frames[name] = cut
        flags = [record.flags.as_bits() for record in check(core, jobs, "amaranth")]
        assert flags == [1 << 2 * number, 0]


@pytest.mark.parametrize(
    ("sizes", "options", "refusal"),
    [
        ((0, 1, 1), {}, Refusal.ZERO),
        ((1, 0, 1), {}, Refusal.ZERO),
        ((1, 1, 0), {}, Refusal.ZERO),
        ((2, 4, 1), {}, Refusal.OVERSIZED),
        ((1, 7, 1), {}, Refusal.OVERSIZED),
        ((65535, 65535, 1), {}, Refusal.OVERSIZED),
        ((1, 1, 1), {"output": Output.GROUPS}, Refusal.UNSUPPORTED),
        ((1, 1, 1), {"accumulate": True}, Refusal.UNSUPPORTED),
    ],
)
def test_refused_commands_in_amaranth(sizes, options, refusal):
    """They take no data: that of the next command is still there for it."""
    core, rng = small(), np.random.default_rng(8)
    gemm = Gemm.on(core, *sizes, tag=3, **options)
    bad = Job(gemm, {"commands": command_beats([gemm])})
    records = check(core, [bad, job(core, rng, 1, 2, 1, tag=4)], "amaranth")
    assert [record.refusal for record in records] == [refusal, Refusal.NONE]
    assert (records[0].macs, records[0].groups, records[0].flags.as_bits()) == (0, 0, 0)


M2XFP = formats.get("m2xfp")


@pytest.mark.parametrize(
    ("format", "change", "error", "message"),
    [
        (M2XFP, {"columns": 0}, ValueError, "Columns must be a positive integer, not 0"),
        (M2XFP, {"rows": 1.5}, TypeError, "Rows must be a positive integer, not 1.5"),
        (
            M2XFP,
            {"rows": 65536},
            ValueError,
            "Rows must be an integer from 2 to 65535, not 65536",
        ),
        (M2XFP, {"rows": 1}, ValueError, "Rows must be an integer from 2 to 65535, not 1"),
        (
            M2XFP,
            {"buffer_groups": 0},
            ValueError,
            "Buffer groups must be an integer from 2 to 65535, not 0",
        ),
        (
            M2XFP,
            {"columns": 48, "quantize": True},
            ValueError,
            "Columns must be a multiple of 32 for quantized output, not 48",
        ),
        (
            formats.get("nvfp4"),
            {"columns": 32, "quantize": True},
            ValueError,
            "Format must be one of m2xfp, m2xfp_sg, m2xfp_sg_spare, mxfp4, not nvfp4",
        ),
        ("m2xfp", {}, TypeError, "Format must be a gateware format, not 'm2xfp'"),
    ],
)
def test_bad_parameters(format, change, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        GemmCore(format, **SMALL | change)
