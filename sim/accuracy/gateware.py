"""One decoder block whose linear layers are computed by the simulated tile."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

import golden
from sim import engines, gemm

from .configuration import Encoding
from .decoder_run import DecoderRun

#: Size of the tile: that of `m2xfp sim gemm`, which may have compiled it already.
COLUMNS, ROWS = 16, 128


@dataclass
class GoldenLinears:
    """Linear layers by `golden.matmul`: the reference for hardware.

    Attributes
    ----------
    weights : dict of str to float32 tensor
        Weights of the layers.
    encoding : Encoding
        How both operands are quantized.
    """

    weights: dict[str, torch.Tensor]
    encoding: Encoding

    def __call__(self, names: Sequence[str], x: torch.Tensor) -> list[torch.Tensor]:
        """Compute the layers of these names."""
        a = self._quantize(x, "activations")
        return [
            torch.from_numpy(self.multiply(a, self._quantize(self.weights[name], "weights")))
            for name in names
        ]

    def multiply(self, a: golden.Quantized, w: golden.Quantized) -> np.ndarray:
        """Return A * W^T as float32 (M, N)."""
        return golden.matmul(a, w)

    def _quantize(self, x: torch.Tensor, role: str) -> golden.Quantized:
        encoding = self.encoding
        return golden.quantize(
            x.numpy(), role, format=encoding.format, scale_rule=encoding.scale_rule
        )


@dataclass
class GatewareLinears(GoldenLinears):
    """Linear layers by the systolic tile in a simulator.

    Attributes
    ----------
    engine : Engine
        Simulator.
    advance : callable
        Called after every layer.
    cycles, products : int
        Clock cycles and outputs so far.
    """

    engine: engines.Engine
    advance: Callable[[], None]
    cycles: int = 0
    products: int = 0

    def multiply(self, a: golden.Quantized, w: golden.Quantized) -> np.ndarray:
        """Return A * W^T as float32 (M, N), every number from the tile."""
        done = gemm.run(a, w, self.engine, columns=COLUMNS, rows=ROWS)
        self.cycles += done.cycles
        self.products += done.result.size
        self.advance()
        return done.result


def compare_block(
    run: DecoderRun,
    encoding: Encoding,
    block: int,
    tokens: int,
    engine: engines.Engine,
    advance: Callable[[], None],
) -> dict:
    """Compute a block with golden products and with the tile's, and compare the bits.

    Both runs start from the float model's residual stream; norms, attention and activation
    function are the same float32 code in both. Each run feeds its own numbers forward.

    Parameters
    ----------
    run : DecoderRun
        The model and its text, of which the first ``tokens`` are used.
    encoding : Encoding
        A format without a tensor scale.
    block : int
        Which decoder block.
    tokens : int
        Rows of the activations.
    engine, advance
        See `GatewareLinears`.

    Returns
    -------
    dict
        ``outputs`` and ``mismatches`` (numbers of the block's output, and those whose bits
        differ), ``products`` (outputs of linear layers), ``cycles``, ``block``, ``tokens``.
    """
    sequence = torch.from_numpy(run.text.sequences[0, :tokens])
    tile = GatewareLinears(run.weights, encoding, engine, advance)
    with torch.inference_mode():
        x = run.weights["token_embd"][sequence]
        for before in range(block):
            x = run.decoder.block(before, x, run.float)
        expected = run.decoder.block(block, x, GoldenLinears(run.weights, encoding)).numpy()
        found = run.decoder.block(block, x, tile).numpy()
    return {
        "block": block,
        "tokens": tokens,
        "outputs": found.size,
        "mismatches": int((found.view(np.uint32) != expected.view(np.uint32)).sum()),
        "products": tile.products,
        "cycles": tile.cycles,
    }
