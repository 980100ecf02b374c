import re
from functools import cache
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

import golden
from hdl import formats
from hdl.decode import DecodeUnit
from hdl.quantizer import QuantizationEngine
from sim import engines, quantize

from . import quantizer_cases as cases
from .operands import E2M1_HALVES, field

ENGINE = engines.get("fast")
DATA = Path(__file__).parent / "data" / "smollm2_layer10_inputs.safetensors"


def check(x, **options):
    """Quantize in gateware and require golden's bits; return the run."""
    run = quantize.run(x, options.pop("engine", ENGINE), **options)
    first = run.mismatches[:1]
    assert not run.mismatches.size, (
        f"group {first}: {x.reshape(-1, 32)[first]}\n"
        f"got  {run.words[first]}\nwant {run.expected[first]}"
    )
    return run


@cache
def fp32_cases():
    return np.concatenate(
        [
            cases.fp32_decisions(),
            cases.fp32_maxima(),
            cases.heavy_tails(20_000),
            cases.crossed_subgroups(),
        ]
    )


def test_every_bf16_value_beside_every_scale():
    assert len(check(cases.bf16_values()).words) > 100_000


def test_every_fp16_value_beside_every_exponent():
    run = check(cases.fp16_values(), lanes=16)
    assert len(run.words) > 50_000
    assert run.latency == 5


def test_fp32_ties_edges_maxima_and_heavy_tails():
    x = fp32_cases()
    run = check(x)
    metadata, scales = run.result.metadata.ravel(), run.result.scales.ravel()
    # Every scale code that an FP32 group can have.
    assert set(scales.tolist()) == {*range(253), 255}
    steps = metadata[:, None] >> np.array([0, 2, 4, 6]) & 3
    assert (np.bincount(steps.ravel(), minlength=4) > 1000).all()
    assert ((run.result.elements == 0x88).any(axis=-1) & (scales == 0)).any()  # negative zeros


@pytest.mark.parametrize(("format", "lanes"), [("m2xfp", 8), ("mxfp4", 32)])
def test_fp32_twins(format, lanes):
    check(fp32_cases()[:: 32 // lanes], format=format, lanes=lanes)


@pytest.mark.parametrize(("format", "lanes"), [("m2xfp", 32), ("m2xfp", 8), ("mxfp4", 32)])
@pytest.mark.parametrize("stall", [0.1, 0.6])
def test_stalls_lose_nothing(format, lanes, stall):
    check(cases.heavy_tails(800, seed=lanes), format=format, lanes=lanes, stall=stall, seed=3)


@pytest.mark.parametrize(("lanes", "latency"), [(32, 2), (8, 9)])
def test_throughput_and_latency(lanes, latency):
    count = 500
    run = check(cases.heavy_tails(count), lanes=lanes)
    assert run.latency == latency
    assert run.cycles == count * (32 // lanes) + latency - 32 // lanes + 1


def test_stalled_output_stops_only_when_full():
    """A stalled consumer lets both ranks fill, and drains them at full speed afterwards."""
    x = cases.heavy_tails(300)
    beats = quantize.value_beats(x, 32)
    engine = QuantizationEngine(formats.get("m2xfp"))
    paused = ENGINE.run_streams(
        engine, {"values": beats}, {"groups": len(x)}, stall={"groups": 0.5}, seed=1
    )
    free = ENGINE.run_streams(engine, {"values": beats}, {"groups": len(x)})
    np.testing.assert_array_equal(paused.outputs["groups"], free.outputs["groups"])
    # The consumer takes a group in half of the cycles; nothing else slows the engine down.
    assert paused.cycles < 2.4 * len(x)


def decoded(quantized):
    """Decode groups with the decode unit and apply the scales: (groups, 32) float64."""
    format = formats.get("m2xfp")
    words = golden.group_words(quantized).reshape(-1, 5)
    metadata = field(words, 128, 8)[:, None] >> np.array([0, 2, 4, 6], np.uint64) & np.uint64(3)
    encoded = np.stack([words[:, :4], metadata.astype(np.uint32)], axis=2).reshape(-1, 2)
    operand = ENGINE.run_pipeline(DecodeUnit(format), {"encoded": encoded}, ["operand"], 0)
    operand, layout = operand["operand"], format.activation_subgroup
    nibbles = np.stack([field(operand, 4 * i, 4) for i in range(8)], axis=1).astype(int)
    top = field(operand, layout["top"].offset, 8)[:, None] >> np.arange(8, dtype=np.uint64)
    offset = layout["correction"].offset
    signs = 1 - 2 * field(operand, offset + 2, 1).astype(int)
    steps = signs << field(operand, offset, 2).astype(int)
    eighths = np.where(nibbles & 8, -4, 4) * E2M1_HALVES[nibbles & 7]
    eighths += (top & np.uint64(1)).astype(int) * steps[:, None]
    return np.ldexp(eighths.reshape(-1, 32) / 8, field(words, 136, 8).astype(int)[:, None] - 127)


def test_engine_to_decode_unit_equals_dequantize():
    x = fp32_cases()[:20_000]
    x = x[np.isfinite(x).all(axis=1)]
    result = check(x).result
    np.testing.assert_array_equal(decoded(result), result.dequantize().reshape(-1, 32))


@pytest.mark.parametrize("name", ["attn_q.input", "ffn_down.input"])
@pytest.mark.parametrize("dtype", ["bf16", "fp32"])
def test_real_activations(name, dtype):
    x = golden.load_tensor(f"{DATA}:{name}").astype(quantize.DTYPES[dtype])
    check(x)


def test_amaranth_simulator_agrees():
    check(cases.heavy_tails(60), engine=engines.get("amaranth"), lanes=8, stall=0.2)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"format": "m2xfp"}, TypeError, "Format must be a gateware format, not 'm2xfp'"),
        ({"dtype": "fp64"}, ValueError, "Dtype must be one of fp32, bf16, fp16, not 'fp64'"),
        ({"lanes": 4}, ValueError, "Lanes must be 8, 16 or 32, not 4"),
        ({"lanes": "8"}, TypeError, "Lanes must be an integer, not '8'"),
        ({"role": "both"}, ValueError, "Role must be activations or weights, not 'both'"),
    ],
)
def test_bad_parameters(arguments, error, message):
    arguments = {"format": formats.get("m2xfp")} | arguments
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        QuantizationEngine(arguments.pop("format"), **arguments)


def test_attributes():
    engine = QuantizationEngine(formats.get("mxfp4"), dtype="bf16", lanes=16)
    assert (engine.format.name, engine.dtype, engine.lanes, engine.beats) == (
        "mxfp4",
        "bf16",
        16,
        2,
    )
    assert quantize.DTYPES["bf16"] == ml_dtypes.bfloat16
