"""Matrix products of quantized tensors through a systolic tile, compared bit for bit."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from os import PathLike

import numpy as np

import golden
from hdl import formats
from hdl.tile import SystolicTile

from .engines import Engine
from .engines.words import word_count

#: Cycles after the last result in which the tile must stay silent.
_DRAIN = 64


@dataclass(frozen=True)
class Plan:
    """How a product is cut into tiles.

    For each block of rows and each block of output channels, the groups along K follow each
    other; with each group come its weights, then its rows of activations. Missing channels of
    the last block are zeros, missing rows of the last block are left out.

    Attributes
    ----------
    m, n, groups : int
        Rows, output channels, groups along K.
    lanes : int
        Elements of a group.
    columns, rows : int
        Size of the tile.
    """

    m: int
    n: int
    groups: int
    lanes: int
    columns: int
    rows: int

    @property
    def channel_blocks(self) -> int:
        """Blocks of output channels."""
        return -(-self.n // self.columns)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the product itself, without padding."""
        return self.m * self.n * self.groups * self.lanes

    def row_blocks(self) -> Iterator[slice]:
        """Rows of A of every block."""
        for start in range(0, self.m, self.rows):
            yield slice(start, min(start + self.rows, self.m))


@dataclass(frozen=True)
class GemmRun:
    """A product as the gateware computed it, and how it compares.

    Attributes
    ----------
    result : float32 array of shape (M, N)
        The gateware's numbers.
    expected : float32 array of shape (M, N)
        Those of the golden model.
    mismatches : int array of shape (n, 2)
        Row and column of every output whose bits differ, in order.
    cycles : int
        Clock cycles to the last result.
    operand_cycles : int
        Clock cycles from the first to the last transfer of an operand.
    plan : Plan
    """

    result: np.ndarray
    expected: np.ndarray
    mismatches: np.ndarray
    cycles: int
    operand_cycles: int
    plan: Plan

    @property
    def macs_per_cycle(self) -> float:
        """Useful multiply-accumulates a cycle, from the first to the last operand."""
        return self.plan.macs / self.operand_cycles

    @property
    def utilization(self) -> float:
        """Share of the tile's multipliers that did useful work in those cycles."""
        return self.macs_per_cycle / (self.plan.lanes * self.plan.columns)


def run(
    a: golden.Quantized,
    w: golden.Quantized,
    engine: Engine,
    *,
    columns: int,
    rows: int,
    stall: float = 0.0,
    seed: int = 0,
    vcd: str | PathLike | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> GemmRun:
    """Compute ``A * W^T`` on a tile and compare every bit with the golden model.

    Parameters
    ----------
    a, w : golden.Quantized
        Activations (M, K) and weights (N, K) of one format.
    engine : Engine
        Simulator.
    columns, rows : int
        Size of the tile.
    stall, seed, vcd, progress
        See ``Engine.run_streams``.

    Raises
    ------
    golden.InputError
        If the operands cannot be multiplied.
    ValueError
        If the format has no gateware or a size is not positive.
    SimulationError
        If the tile breaks the rules of its streams or hangs.
    """
    expected = golden.accumulate(a, w)
    tile = _tile(SystolicTile, a.format, columns, rows)
    plan = Plan(*expected.shape, a.scales.shape[1], tile.format.lanes, columns, rows)
    done = engine.run_streams(
        tile,
        {"weights": weight_beats(w, plan), "activations": activation_beats(a, plan)},
        {"results": plan.m * plan.channel_blocks},
        stall=stall,
        seed=seed,
        vcd=vcd,
        drain=_DRAIN,
        progress=progress,
    )
    result = untile(done.outputs["results"], plan)
    differs = result.view(np.uint32) != expected.view(np.uint32)
    first = min(done.first["weights"], done.first["activations"])
    last = max(done.last["weights"], done.last["activations"])
    return GemmRun(result, expected, np.argwhere(differs), done.cycles, last - first + 1, plan)


@lru_cache(maxsize=4, typed=True)
def _tile(kind: type[SystolicTile], name: str, columns: int, rows: int) -> SystolicTile:
    """Return the same object for the same tile: an engine exports its Verilog once, for seconds."""
    return kind(formats.get(name), columns=columns, rows=rows)


def weight_beats(w: golden.Quantized, plan: Plan) -> np.ndarray:
    """Return the beats of the tile's weight stream, uint32 of shape (n, words)."""
    words = golden.group_words(w)
    padding = plan.channel_blocks * plan.columns - plan.n
    words = np.pad(words, ((0, padding), (0, 0), (0, 0)))
    blocks = words.reshape(plan.channel_blocks, plan.columns, plan.groups, -1)
    once = blocks.transpose(0, 2, 1, 3).reshape(-1, words.shape[-1])
    return np.tile(once, (len(list(plan.row_blocks())), 1))


def activation_beats(a: golden.Quantized, plan: Plan) -> np.ndarray:
    """Return the beats of the tile's activation stream, uint32 of shape (n, words)."""
    bits = a.spec.word_bits
    groups = golden.group_words(a)
    words = np.zeros((*groups.shape[:2], word_count(bits + 3)), np.uint32)
    words[..., : groups.shape[2]] = groups
    _set_bit(words[:, 0], bits)
    _set_bit(words[:, -1], bits + 1)
    beats = []
    for block in plan.row_blocks():
        # Group by group, and in each the rows, of which the last ends a set of weights.
        ordered = words[block].transpose(1, 0, 2).copy()
        _set_bit(ordered[:, -1], bits + 2)
        beats.append(np.tile(ordered.reshape(-1, words.shape[2]), (plan.channel_blocks, 1)))
    return np.concatenate(beats)


def untile(results: np.ndarray, plan: Plan) -> np.ndarray:
    """Put rows of results, uint32 of shape (n, columns), in their places in (M, N) float32."""
    placed = np.empty((plan.m, plan.channel_blocks, plan.columns), np.uint32)
    start = 0
    for block in plan.row_blocks():
        shape = (plan.channel_blocks, block.stop - block.start, plan.columns)
        stop = start + shape[0] * shape[1]
        placed[block] = results[start:stop].reshape(shape).transpose(1, 0, 2)
        start = stop
    flat = placed.reshape(plan.m, -1)[:, : plan.n]
    return np.ascontiguousarray(flat).view(np.float32)


def _set_bit(words: np.ndarray, bit: int) -> None:
    words[..., bit // 32] |= np.uint32(1 << bit % 32)
