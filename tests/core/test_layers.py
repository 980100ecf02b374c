"""Real layers and a network of two layers on the core."""

from pathlib import Path

import numpy as np
import pytest

import golden
from hdl import formats
from hdl.core import GemmCore, Output, Refusal
from sim import core as sim_core
from sim import core_run, engines

from .running import Job, check_marks, run

LAYER = Path(__file__).parents[2] / "sim" / "data" / "smollm2_attn_q.safetensors"


@pytest.fixture(scope="module")
def core():
    """One core for all, which is compiled once: what the largest test here asks for."""
    return GemmCore(
        formats.get("m2xfp"), columns=32, rows=8, buffer_groups=144, accumulate=True, quantize=True
    )


@pytest.fixture(scope="module")
def layer():
    """The slice of a real layer that comes with the project: (activations, weights)."""
    a, w = (golden.load_tensor(f"{LAYER}:attn_q.{name}") for name in ("input", "weight"))
    return golden.quantize(a, "activations"), golden.quantize(w, "weights")


@pytest.mark.parametrize("panel", [0, 1])
def test_a_real_layer(core, layer, panel):
    done = core_run.run(core, *layer, engines.get("fast"), panel=panel)
    assert done.result.shape == (32, 128)
    assert not len(done.mismatches)
    assert done.status.refusal == Refusal.NONE
    assert done.status.macs == 32 * 576 * 128


def test_a_real_layer_onto_c(core, layer):
    a, w = layer
    c = np.random.default_rng(1).standard_normal((32, 128)).astype(np.float32)
    done = core_run.run(core, a, w, engines.get("fast"), c=c, stall=0.1)
    assert not len(done.mismatches)
    assert (done.result != golden.accumulate(a, w)).any()


def test_a_real_layer_quantized(core, layer):
    done = core_run.run(core, *layer, engines.get("fast"), output=Output.GROUPS, stall=0.2)
    assert done.result.shape == (32, 4, 5)
    assert not len(done.mismatches)


def test_channels_beyond_n_are_zeros_in_the_last_group(core, layer):
    """With C: what it holds for channels that do not exist must not count."""
    a, w = layer
    c = np.ones((32, 40), np.float32)
    w = w.rows(0, 40)
    done = core_run.run(core, a, w, engines.get("fast"), output=Output.GROUPS, c=c)
    assert done.result.shape == (32, 2, 5)
    assert not len(done.mismatches)


@pytest.mark.parametrize("stall", [0.0, 0.3])
def test_two_layers(core, stall):
    """The first layer's result beats, as they are, are the second layer's activation beats."""
    rng = np.random.default_rng(2)
    x = rng.standard_t(3, (13, 96)).astype(np.float32)
    x[4, 5] = np.nan
    a = golden.quantize(x, "activations")
    first, second = (
        golden.quantize(rng.standard_normal(shape).astype(np.float32), "weights")
        for shape in ((80, 96), (40, 96))
    )
    one = sim_core.Gemm.on(core, 13, 3, 80, tag=1, output=Output.GROUPS)
    two = sim_core.Gemm.on(core, 13, 3, 40, tag=2, panel=core.columns // 32)
    frames = {
        "commands": sim_core.command_beats([one]),
        "activations": sim_core.framed(one.activation_beats(golden.group_words(a)), 144),
        "weights": sim_core.framed(one.weight_beats(golden.group_words(first)), 144),
    }
    (hidden,), (record,) = run(core, [Job(one, frames, x)], stall=stall)
    sums = golden.matmul(a, first)
    assert record.nan_results == np.isnan(sums).sum() == 80

    kept = np.unpackbits(hidden.view(np.uint8), axis=1, bitorder="little")[:, 1024:1152]
    assert (kept.sum(axis=1) == 18).all()
    frames = {
        "commands": sim_core.command_beats([two]),
        "activations": sim_core.framed(_lowest(hidden, 144), 144),
        "weights": sim_core.framed(two.weight_beats(golden.group_words(second)), 144),
    }
    (beats,), (record,) = run(core, [Job(two, frames, x)], stall=stall)
    quantized = golden.quantize(np.pad(sums, ((0, 0), (0, 16))), "activations")
    expected = golden.matmul(quantized, second)
    got = two.untile(beats[:, : core.columns])
    np.testing.assert_array_equal(got.view(np.uint32), expected.view(np.uint32))
    assert np.isnan(got).any(axis=1).tolist() == [row == 4 for row in range(13)]
    check_marks(core, two, beats)


def _lowest(beats, bits):
    """Return the low bits of every beat."""
    words = beats[:, : -(-bits // 32)].copy()
    words[:, -1] &= np.uint32(2 ** (bits % 32) - 1)
    return words
