"""Tensors through the quantization engine, every bit of every group compared with golden."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

import ml_dtypes
import numpy as np

import golden
from hdl import formats
from hdl.quantizer import QuantizationEngine

from .engines import Engine

#: NumPy type of the engine's input types.
DTYPES = {
    "fp32": np.dtype(np.float32),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "fp16": np.dtype(np.float16),
}

#: Cycles after the last group in which the engine must stay silent.
_DRAIN = 16


@dataclass(frozen=True)
class QuantizeRun:
    """A tensor as the gateware quantized it, and how it compares.

    Attributes
    ----------
    result : golden.Quantized
        The gateware's groups.
    words, expected : uint32 array of shape (groups, words)
        Bus words of the gateware and of the golden model.
    mismatches : int array of shape (n,)
        Index of every group that differs, in order.
    cycles : int
        Clock cycles to the last group.
    latency : int
        Clock cycles from the first beat to the first group.
    """

    result: golden.Quantized
    words: np.ndarray
    expected: np.ndarray
    mismatches: np.ndarray
    cycles: int
    latency: int


def value_beats(x: np.ndarray, lanes: int) -> np.ndarray:
    """Return the beats of an array of floats, (n, words) uint32, element 0 in the low bits."""
    width = x.dtype.itemsize
    return np.ascontiguousarray(x).view(f"<u{width}").reshape(-1, lanes).view("<u4")


def from_words(words: np.ndarray, like: golden.Quantized) -> golden.Quantized:
    """Return bus words (groups, words) as a quantized tensor of the form of another."""
    octets = np.ascontiguousarray(words, "<u4").view(np.uint8)
    parts, start = [], 0
    for part in like.group_bytes():
        stop = start + part.shape[-1]
        parts.append(octets[:, start:stop])
        start = stop
    elements, metadata, scales = parts
    return golden.Quantized(
        elements.reshape(like.elements.shape),
        scales.reshape(like.scales.shape),
        metadata.reshape(like.metadata.shape),
        like.role,
        like.format,
        like.shape,
    )


def run(
    x: np.ndarray,
    engine: Engine,
    *,
    format: str = "m2xfp",
    lanes: int = 32,
    role: str = "activations",
    stall: float = 0.0,
    seed: int = 0,
    vcd: str | PathLike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> QuantizeRun:
    """Quantize an array in gateware and compare every bit with the golden model.

    Parameters
    ----------
    x : array of shape (..., K)
        float32, bfloat16 or float16; the engine is built for its type.
    engine : Engine
        Simulator.
    format, lanes, role
        See `QuantizationEngine`; weights have a fixed scale.
    stall, seed, vcd, progress
        See ``Engine.run_streams``.

    Raises
    ------
    golden.InputError
        If the array cannot be quantized.
    ValueError
        If the engine cannot be built.
    SimulationError
        If the engine breaks the rules of its streams or hangs.
    """
    dtype = next((name for name, kind in DTYPES.items() if kind == x.dtype), str(x.dtype))
    quantizer = QuantizationEngine(formats.get(format), dtype=dtype, lanes=lanes, role=role)
    reference = golden.quantize(x, role, format=format, adaptive=False)
    expected = golden.group_words(reference)
    expected = expected.reshape(-1, expected.shape[-1])
    done = engine.run_streams(
        quantizer,
        {"values": value_beats(x, lanes)},
        {"groups": len(expected)},
        stall=stall,
        seed=seed,
        vcd=vcd,
        progress=progress,
        drain=_DRAIN,
    )
    words = done.outputs["groups"]
    return QuantizeRun(
        result=from_words(words, reference),
        words=words,
        expected=expected,
        mismatches=np.flatnonzero((words != expected).any(axis=1)),
        cycles=done.cycles,
        latency=done.first["groups"] - done.first["values"],
    )
