"""Signal-to-noise ratio of every linear layer, each on its own behind a float model."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch.nn import functional

from .configuration import Encoding
from .quantize import fake_quantize
from .statistics import decibels


@dataclass
class LayerErrors:
    """Linear layers that pass on float results and measure what quantization would change.

    Attributes
    ----------
    weights : dict of str to float32 tensor
        Weights of the layers.
    quantized : dict of str to float32 tensor
        The same weights, quantized and decoded.
    encoding : Encoding
        How activations are quantized.
    powers : dict
        (layer, ``"activations"`` or ``"output"``) -> [sum of squares, sum of squared errors].
    """

    weights: dict[str, torch.Tensor]
    quantized: dict[str, torch.Tensor]
    encoding: Encoding
    powers: dict = field(default_factory=lambda: defaultdict(lambda: [0.0, 0.0]))

    def __call__(self, names: Sequence[str], x: torch.Tensor) -> list[torch.Tensor]:
        """Compute the layers of these names in float32."""
        coded = fake_quantize(x, "activations", self.encoding)
        outputs = []
        for name in names:
            exact = functional.linear(x, self.weights[name])
            self._add(name, "activations", x, coded)
            self._add(name, "output", exact, functional.linear(coded, self.quantized[name]))
            outputs.append(exact)
        return outputs

    def _add(self, name: str, what: str, exact: torch.Tensor, changed: torch.Tensor) -> None:
        signal, noise = powers(exact, changed)
        self.powers[name, what][0] += signal
        self.powers[name, what][1] += noise

    def table(self) -> dict[str, dict[str, float]]:
        """Return dB for every layer: ``weights``, ``activations`` and ``output``."""
        return {
            name: {
                "weights": decibels(*powers(self.weights[name], self.quantized[name])),
                "activations": decibels(*self.powers[name, "activations"]),
                "output": decibels(*self.powers[name, "output"]),
            }
            for name in self.quantized
        }


def powers(exact: torch.Tensor, changed: torch.Tensor) -> tuple[float, float]:
    """Return the sum of squares of a tensor, and that of the difference to another."""
    noise = (changed - exact).square().sum(dtype=torch.float64).item()
    return exact.square().sum(dtype=torch.float64).item(), noise
