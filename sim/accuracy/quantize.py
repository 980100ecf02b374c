"""Quantized linear layers, every number through the golden model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

import golden

from .configuration import Encoding, Mode

#: How much the error of each weight counts: layer -> float array (K,); empty to count all alike.
Importance = Mapping[str, np.ndarray]


def fake_quantize(
    x: torch.Tensor, role: str, encoding: Encoding, importance: np.ndarray | None = None
) -> torch.Tensor:
    """Quantize a float32 tensor along its last axis with `golden` and decode it again.

    NumPy reads the tensor's own memory, and the result is NumPy's own memory: nothing is copied.
    """
    options = {"format": encoding.format, "scale_rule": encoding.scale_rule}
    quantized = golden.quantize(x.detach().numpy(), role, **options, importance=importance)
    return torch.from_numpy(quantized.dequantize())


def quantize_weights(
    weights: dict[str, torch.Tensor],
    names: Sequence[str],
    encoding: Encoding,
    importance: Importance,
) -> dict[str, torch.Tensor]:
    """Return the named matrices (N, K), quantized and decoded."""
    return {
        name: fake_quantize(weights[name], "weights", encoding, importance.get(name))
        for name in names
    }


@dataclass
class QuantizedLinears:
    """Linear layers with quantized inputs, quantized weights or both, summed in float32.

    Attributes
    ----------
    weights : dict of str to float32 tensor
        Weights of the layers.
    quantized : dict of str to float32 tensor
        The same weights, quantized and decoded.
    encoding : Encoding
        How activations are quantized: each input (tokens, K) as one tensor.
    mode : Mode
        What is quantized.
    """

    weights: dict[str, torch.Tensor]
    quantized: dict[str, torch.Tensor]
    encoding: Encoding
    mode: Mode

    def __call__(self, names: Sequence[str], x: torch.Tensor) -> list[torch.Tensor]:
        """Compute the layers of these names."""
        if self.mode.activations:
            x = fake_quantize(x, "activations", self.encoding)
        weights = self.quantized if self.mode.weights else self.weights
        return [functional.linear(x, weights[name]) for name in names]
