"""Commands with random tensors on a core in one of the engines, every result bit compared."""

from dataclasses import dataclass, field

import numpy as np

import golden
from sim import core as sim_core
from sim import engines


@dataclass
class Job:
    """A command, its payloads by stream, and the FP32 sums that golden makes of them."""

    gemm: sim_core.Gemm
    frames: dict[str, np.ndarray] = field(default_factory=dict)
    expected: np.ndarray | None = None


def job(core, rng, m, groups, n, panel=0, accumulate=False, edit=None, nan=(), **options) -> Job:
    """Return a command with random data, and the sums for the data that ``edit`` makes of it.

    ``nan`` names the operands whose last value is NaN: activations, weights.
    """
    gemm = sim_core.Gemm.on(core, m, groups, n, panel=panel, accumulate=accumulate, **options)
    lanes, width = core.format.lanes, core.format.group.size
    x, y = (rng.standard_t(3, (rows, lanes * groups)).astype(np.float32) for rows in (m, n))
    for tensor, name in ((x, "activations"), (y, "weights")):
        tensor[-1, -1] = np.nan if name in nan else tensor[-1, -1]
    a = golden.quantize(x, "activations", format=core.format.name)
    w = golden.quantize(y, "weights", format=core.format.name)
    c = rng.standard_normal((m, n)).astype(np.float32) if accumulate else None
    made = Job(gemm)
    made.frames = {
        "commands": sim_core.command_beats([gemm]),
        "activations": sim_core.framed(gemm.activation_beats(golden.group_words(a)), width),
        "weights": sim_core.framed(gemm.weight_beats(golden.group_words(w)), width),
    }
    if accumulate:
        made.frames["c"] = sim_core.framed(gemm.c_beats(c), 32 * core.columns)
    if edit:
        edit(x, y, c)
        a = golden.quantize(x, "activations", format=core.format.name)
        w = golden.quantize(y, "weights", format=core.format.name)
    made.expected = golden.accumulate(a, w, c)
    return made


def run(core, jobs, engine="fast", **options):
    """Run jobs back to back; return the beats of every job's results, and the status records."""
    frames = {}
    for each in jobs:
        for name, beats in each.frames.items():
            frames.setdefault(name, []).append(beats)
    counts = [0 if each.expected is None else each.gemm.result_beats for each in jobs]
    done = engines.get(engine).run_streams(
        core,
        {name: np.concatenate(parts) for name, parts in frames.items()},
        {"results": sum(counts), "status": sim_core.STATUS_WORDS * len(jobs)},
        drain=64,
        **options,
    )
    results = np.split(done.outputs["results"], np.cumsum(counts)[:-1])
    return results, sim_core.statuses(done.outputs["status"])


def check(core, jobs, engine="fast", **options):
    """Run jobs, compare results, TKEEP and TLAST, and return the status records."""
    results, records = run(core, jobs, engine, **options)
    for each, beats, record in zip(jobs, results, records, strict=True):
        assert record.tag == each.gemm.tag
        if each.expected is None:
            continue
        got = each.gemm.untile(beats[:, : core.columns])
        np.testing.assert_array_equal(got.view(np.uint32), each.expected.view(np.uint32))
        check_marks(core, each.gemm, beats)
    return records


def check_marks(core, gemm, beats):
    """Check TKEEP of FP32 results, and TLAST on the last beat only."""
    bits = np.unpackbits(beats.view(np.uint8), axis=1, bitorder="little")[:, 32 * core.columns :]
    kept = bits[:, : 4 * core.columns].sum(axis=1)
    channels = [
        min(core.columns, gemm.channels - start)
        for block in gemm.row_blocks()
        for start in range(0, gemm.channels, core.columns)
        for _ in range(block.stop - block.start)
    ]
    np.testing.assert_array_equal(kept, 4 * np.array(channels))
    last = bits[:, 4 * core.columns]
    np.testing.assert_array_equal(last, np.arange(len(beats)) == len(beats) - 1)
