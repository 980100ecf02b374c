"""One product on the GEMM core, every bit of the results compared with the golden model."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike

import numpy as np
from amaranth.lib import data

import golden
from hdl.core import GemmCore, Output

from .core import STATUS_WORDS, Gemm, command_beats, framed, statuses
from .engines import Engine

#: Cycles after the last status word in which the core must stay silent.
_DRAIN = 64


@dataclass(frozen=True)
class CoreRun:
    """A product as the core computed it, and how it compares.

    Attributes
    ----------
    result : array
        float32 (M, N), or for quantized output the words of the groups, uint32
        (M, groups, words).
    expected : array
        The same from the golden model.
    mismatches : int array of shape (n, 2)
        Row and column, or row and group, of all that differs, in order.
    status : Status
        The command's status record.
    gemm : Gemm
    """

    result: np.ndarray
    expected: np.ndarray
    mismatches: np.ndarray
    status: data.Const
    gemm: Gemm


def run(
    core: GemmCore,
    a: golden.Quantized,
    w: golden.Quantized,
    engine: Engine,
    *,
    c: np.ndarray | None = None,
    output: Output = Output.FP32,
    panel: int = 0,
    stall: float = 0.0,
    seed: int = 0,
    vcd: str | PathLike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> CoreRun:
    """Compute ``A * W^T``, plus C, as one command and compare every bit with the golden model.

    Parameters
    ----------
    core : GemmCore
    a, w : golden.Quantized
        Activations (M, K) and weights (N, K) of the core's format.
    engine : Engine
        Simulator.
    c : float32 array of shape (M, N), optional
        Sums to start from.
    output : Output
        FP32 sums, or groups; N is filled up with zeros to whole groups.
    panel : int
        Order of the activations, see `hdl.core.Command`.
    stall, seed, vcd, progress
        See ``Engine.run_streams``.

    Raises
    ------
    golden.InputError
        If the operands cannot be multiplied, or the command is too large for the core.
    SimulationError
        If the core breaks the rules of its streams or hangs.
    """
    expected = golden.accumulate(a, w, c)
    groups = a.scales.shape[1]
    gemm = Gemm.on(
        core, *a.shape[:1], groups, w.shape[0], panel=panel, output=output, accumulate=c is not None
    )
    check_room(core, gemm.rows, groups)
    width = core.format.group.size
    inputs = {
        "commands": command_beats([gemm]),
        "activations": framed(gemm.activation_beats(golden.group_words(a)), width),
        "weights": framed(gemm.weight_beats(golden.group_words(w)), width),
    }
    if c is not None:
        inputs["c"] = framed(gemm.c_beats(c), 32 * core.columns)
    done = engine.run_streams(
        core,
        inputs,
        {"results": gemm.result_beats, "status": STATUS_WORDS},
        stall=stall,
        seed=seed,
        vcd=vcd,
        drain=_DRAIN,
        progress=progress,
    )
    beats = done.outputs["results"]
    if output is Output.FP32:
        result = gemm.untile(beats[:, : core.columns])
        differs = result.view(np.uint32) != expected.view(np.uint32)
    else:
        expected = golden.group_words(quantized(expected, core.format))
        result = gemm.untile_groups(unpacked(beats, core.columns, core.format), expected.shape)
        differs = (result != expected).any(axis=-1)
    (status,) = statuses(done.outputs["status"])
    return CoreRun(result, expected, np.argwhere(differs), status, gemm)


def check_room(core: GemmCore, rows: int, groups: int) -> None:
    """Raise `golden.InputError` if a block of activations is too large for the core's buffer."""
    needed = min(rows, core.rows) * groups
    if needed > core.buffer_groups:
        raise golden.InputError(
            f"Activation buffer must hold {needed} groups, not {core.buffer_groups}"
        )


def quantized(sums: np.ndarray, format) -> golden.Quantized:
    """Quantize FP32 sums as golden does, filled up with zeros to whole groups."""
    padding = -sums.shape[1] % format.lanes
    return golden.quantize(np.pad(sums, ((0, 0), (0, padding))), "activations", format=format.name)


def unpacked(beats: np.ndarray, columns: int, format) -> np.ndarray:
    """Split beats of quantized results, uint32 (n, words), into words of groups: (n, words')."""
    size = format.group.size // 8
    octets = np.ascontiguousarray(beats, "<u4").view(np.uint8)[
        :, : size * (columns // format.lanes)
    ]
    groups = octets.reshape(len(beats), -1, size)
    padded = np.ascontiguousarray(np.pad(groups, ((0, 0), (0, 0), (0, -size % 4))))
    return padded.reshape(len(beats), -1).view("<u4").astype(np.uint32)
