"""The exported core between the sources and sinks of cocotbext-axi, run by cocotb.

``top`` is the core behind registers at the falling edge, see `test_axi`: the models then read what
stood before the rising edge, which with Verilator they otherwise do not.
"""

import dataclasses
import random

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles, Timer, with_timeout
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource

import golden
from hdl.core import Output, Refusal, Status
from sim.core import STATUS_WORDS, Gemm

#: Size of the core under test.
COLUMNS, ROWS, BUFFER = 2, 3, 12
INPUTS = ("cmd", "act", "wgt", "c")
OUTPUTS = ("res", "status")
GROUP_BYTES = 18


class Job:
    """A command with random data: its frames as bytes, and what golden makes of them."""

    def __init__(self, rng, m, groups, n, *, accumulate=False, panel=0, nan="", **options):
        self.gemm = Gemm(m, groups, n, COLUMNS, ROWS, accumulate=accumulate, panel=panel, **options)
        a, w = (rng.standard_t(3, (rows, 32 * groups)).astype(np.float32) for rows in (m, n))
        for name, tensor in (("act", a), ("wgt", w)):
            if name in nan:
                tensor[-1, -1] = np.nan
        self.a, self.w = golden.quantize(a, "activations"), golden.quantize(w, "weights")
        self.c = c = rng.standard_normal((m, n)).astype(np.float32) if accumulate else None
        self.expected = golden.accumulate(self.a, self.w, c)
        self.frames = {
            "cmd": self.gemm.word.to_bytes(8, "little"),
            "act": _bytes(self.gemm.activation_beats(golden.group_words(self.a))),
            "wgt": _bytes(self.gemm.weight_beats(golden.group_words(self.w))),
        }
        if accumulate:
            self.frames["c"] = self.gemm.c_beats(c).tobytes()

    def cut(self, stream, beats) -> np.ndarray:
        """Return what golden makes of the job if a stream has only its first ``beats`` beats."""
        gemm = self.gemm
        came = {"act": self.a.scales, "wgt": self.w.scales, "c": self.expected}[stream]
        # Every beat's place in its tensor, in the order of the stream.
        places = np.arange(came.size, dtype=np.uint32).reshape(came.shape)
        if stream == "c":
            order = gemm.c_beats(places.view(np.float32))[:beats].ravel()
            kept = np.isin(places, order) if beats else np.zeros(came.shape, bool)
            return golden.accumulate(self.a, self.w, np.where(kept, self.c, np.float32(0)))
        if stream == "act":
            kept = np.isin(places, gemm.activation_beats(places[..., None])[:beats])
            return golden.accumulate(_zeroed(self.a, kept), self.w, self.c)
        # Weights come once for every block of rows, so a cut leaves earlier blocks whole.
        order, parts = gemm.weight_beats(places[..., None]).reshape(-1, came.size), []
        for number, block in enumerate(gemm.row_blocks()):
            kept = np.isin(places, order[number][: max(0, beats - number * came.size)])
            rows = self.a.rows(block.start, block.stop)
            c = None if self.c is None else self.c[block]
            parts.append(golden.accumulate(rows, _zeroed(self.w, kept), c))
        return np.concatenate(parts)

    def result(self, frame) -> np.ndarray:
        """Read a frame of results: (M, N) bits; its length must be that of the kept bytes."""
        block, beats, at = np.frombuffer(bytes(frame.tdata), np.uint32), [], 0
        for rows in self.gemm.row_blocks():
            for start in range(0, self.gemm.channels, COLUMNS):
                size = min(COLUMNS, self.gemm.channels - start)
                for _ in range(rows.stop - rows.start):
                    beats.append(np.pad(block[at : at + size], (0, COLUMNS - size)))
                    at += size
        assert at == len(block)
        return self.gemm.untile(np.array(beats, np.uint32)).view(np.uint32)


def _zeroed(quantized, kept: np.ndarray):
    """Return a tensor with zeros for the groups that are not kept."""
    arrays = {
        name: np.where(np.repeat(kept, array.shape[1] // kept.shape[1], axis=1), array, 0)
        for name, array in (
            ("elements", quantized.elements),
            ("scales", quantized.scales),
            ("metadata", quantized.metadata),
        )
    }
    arrays = {name: array.astype(np.uint8) for name, array in arrays.items()}
    return dataclasses.replace(quantized, **arrays)


def _bytes(words: np.ndarray) -> bytes:
    return np.ascontiguousarray(words, "<u4").view(np.uint8)[:, :GROUP_BYTES].tobytes()


class Bench:
    """Clock, reset, sources and sinks."""

    def __init__(self, dut):
        self.dut = dut
        dut.aresetn.value = 0
        cocotb.start_soon(self._clocks())
        ends = (dut.aclk, dut.aresetn)
        self.sources = {
            name: AxiStreamSource(AxiStreamBus.from_prefix(dut, f"s_axis_{name}"), *ends, False)
            for name in INPUTS
        }
        self.sinks = {
            name: AxiStreamSink(AxiStreamBus.from_prefix(dut, f"m_axis_{name}"), *ends, False)
            for name in OUTPUTS
        }

    async def _clocks(self):
        dut = self.dut
        while True:
            # The models act first, then the core; what they drive passes at the falling edge.
            dut.aclk.value, dut.core_aclk.value = 0, 0
            await Timer(5, "ns")
            dut.aclk.value = 1
            await Timer(1, "ns")
            dut.core_aclk.value = 1
            await Timer(4, "ns")

    async def reset(self, cycles=3):
        """Reset core and models, and forget what they were to send."""
        self.dut.aresetn.value = 0
        await ClockCycles(self.dut.aclk, cycles)
        for end in (*self.sources.values(), *self.sinks.values()):
            end.clear()
        self.dut.aresetn.value = 1
        await ClockCycles(self.dut.aclk, 2)

    def pause(self, seed, share=0.4):
        """Pause every stream at random."""
        for number, end in enumerate((*self.sources.values(), *self.sinks.values())):
            end.set_pause_generator(_coin(random.Random(f"{seed} {number}"), share))

    def send(self, frames):
        """Queue frames by stream."""
        for name, frame in frames.items():
            self.sources[name].send_nowait(frame)

    async def status(self) -> Status:
        """Receive a status record."""
        frame = await with_timeout(self.sinks["status"].recv(), 200, "us")
        assert len(frame.tdata) == 4 * STATUS_WORDS, frame
        return Status.from_bits(int.from_bytes(bytes(frame.tdata), "little"))

    async def check(self, job, expected=None, flags=()):
        """Receive what a job gives and compare every bit; return its status."""
        frame = await with_timeout(self.sinks["res"].recv(), 200, "us")
        want = job.expected if expected is None else expected
        np.testing.assert_array_equal(job.result(frame), want.view(np.uint32))
        record = await self.status()
        assert (record.tag, record.refusal) == (job.gemm.tag, Refusal.NONE)
        raised = {name for name in record.flags.shape().members if record.flags[name]}
        assert raised == set(flags)
        return record


def _coin(rng, share):
    while True:
        yield rng.random() < share


async def start(dut):
    """Bring a bench up."""
    bench = Bench(dut)
    await bench.reset()
    return bench


@cocotb.test()
async def back_to_back(dut):
    """Commands wait in line with their data; blocks, tiles and panels are full and short."""
    bench, rng = await start(dut), np.random.default_rng(1)
    shapes = [(1, 1, 1, 0), (3, 4, 2, 0), (7, 3, 5, 2), (4, 2, 3, 1), (2, 1, 6, 0), (3, 3, 4, 0)]
    jobs = [
        Job(rng, m, groups, n, panel=panel, tag=200 + tag, accumulate=bool(tag % 2))
        for tag, (m, groups, n, panel) in enumerate(shapes)
    ]
    for job in jobs:
        bench.send(job.frames)
    for job in jobs:
        record = await bench.check(job)
        gemm = job.gemm
        assert record.macs == gemm.rows * gemm.channels * gemm.groups * 32
        assert record.groups == gemm.rows * gemm.groups * gemm.tiles
        assert record.nan_results == 0


@cocotb.test()
async def pauses_on_every_stream(dut):
    """The same in fits and starts; stalls are counted."""
    bench, rng = await start(dut), np.random.default_rng(2)
    bench.pause(2)
    jobs = [Job(rng, 5, 3, 3, tag=tag, accumulate=bool(tag % 2)) for tag in range(8)]
    for job in jobs:
        bench.send(job.frames)
    for job in jobs:
        record = await bench.check(job)
        assert record.stalled_activations > 0
        assert record.stalled_weights > 0
        assert record.stalled_results > 0
        assert (record.stalled_c > 0) == job.gemm.accumulate


@cocotb.test()
async def reset_in_mid_burst(dut):
    """A reset at any time leaves nothing of the command behind."""
    bench, rng = await start(dut), np.random.default_rng(3)
    bench.pause(3, 0.2)
    for cycles in (1, 4, 9, 14, 25, 33, 41, 60, 75, 90):
        bench.send(Job(rng, 6, 4, 5, tag=1, accumulate=True).frames)
        await ClockCycles(dut.aclk, cycles)
        await bench.reset(1)
        job = Job(rng, 4, 2, 3, tag=2, accumulate=True)
        bench.send(job.frames)
        await bench.check(job)
    assert all(sink.empty() for sink in bench.sinks.values())


@cocotb.test()
async def early_and_late_tlast(dut):
    """Zeros for what is missing, nothing of what is too much, and the next command is whole."""
    bench, rng = await start(dut), np.random.default_rng(4)
    sizes = {"act": GROUP_BYTES, "wgt": GROUP_BYTES, "c": 4 * COLUMNS}
    names = {"act": "activations", "wgt": "weights", "c": "c"}
    bench.pause(4, 0.2)
    for stream, size in sizes.items():
        for change in (-5, -1, 1, 7):
            job = Job(rng, 5, 2, 3, tag=change & 255, accumulate=True)
            frames, whole = dict(job.frames), len(job.frames[stream])
            if change > 0:
                frames[stream] += b"\xa5" * (size * change)
            else:
                frames[stream] = frames[stream][: size * change]
            bench.send(frames)
            following = Job(rng, 2, 3, 3, tag=77, accumulate=True)
            bench.send(following.frames)
            late = "late" if change > 0 else "early"
            came = min(whole, len(frames[stream])) // size
            await bench.check(job, job.cut(stream, came), [f"{names[stream]}_{late}"])
            await bench.check(following)


@cocotb.test()
async def refused_commands(dut):
    """Refused commands take no data and give their status; the next command is carried out."""
    bench, rng = await start(dut), np.random.default_rng(5)
    bad = [
        ({"rows": 0}, Refusal.ZERO),
        ({"groups": 0}, Refusal.ZERO),
        ({"channels": 0}, Refusal.ZERO),
        ({"rows": 3, "groups": 5}, Refusal.OVERSIZED),
        ({"rows": 65535, "groups": 65535}, Refusal.OVERSIZED),
        ({"rows": 1, "groups": BUFFER + 1}, Refusal.OVERSIZED),
        ({"output": Output.GROUPS}, Refusal.UNSUPPORTED),
    ]
    for tag, (change, refusal) in enumerate(bad):
        sizes = {"rows": 2, "groups": 2, "channels": 3} | change
        gemm = Gemm(**sizes, columns=COLUMNS, block_rows=ROWS, tag=tag)
        job = Job(rng, 2, 2, 3, tag=100 + tag)
        bench.send({"cmd": gemm.word.to_bytes(8, "little")})
        bench.send(job.frames)
        record = await bench.status()
        assert (record.tag, record.refusal, record.macs) == (tag, refusal, 0)
        await bench.check(job)


@cocotb.test()
async def command_without_tlast(dut):
    """A command of more than one beat is refused once, under the tag of its first beat."""
    bench, rng = await start(dut), np.random.default_rng(6)
    bench.pause(6)
    for beats in (2, 3, 5):
        job = Job(rng, 2, 2, 3, tag=9)
        bench.send({"cmd": job.frames["cmd"] + b"\xff" * 8 * (beats - 1)})
        bench.send(job.frames)
        record = await bench.status()
        assert (record.tag, record.refusal) == (9, Refusal.FRAMING)
        await bench.check(job)


@cocotb.test()
async def nan_scales(dut):
    """NaN groups are told apart by stream, and their results are NaN and counted."""
    bench, rng = await start(dut), np.random.default_rng(7)
    for nan in (["act"], ["wgt"], ["act", "wgt"], []):
        job = Job(rng, 4, 2, 3, nan=nan)
        bench.send(job.frames)
        flags = [{"act": "activations_nan", "wgt": "weights_nan"}[name] for name in nan]
        record = await bench.check(job, flags=flags)
        assert record.nan_results == np.isnan(job.expected).sum()
        assert (record.nan_results > 0) == bool(nan)
