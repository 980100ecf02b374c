"""How many bits operands take, from the registry of golden formats alone."""

from dataclasses import dataclass

import golden.formats
from golden import InputError

__all__ = ["FP32", "Fallback", "Operand", "operand", "results"]

#: Bits of a result or a partial sum that is not quantized.
FP32 = 32


@dataclass(frozen=True)
class Fallback:
    """Shares of a layer's tensors that are kept in 8-bit elements for accuracy.

    An 8-bit element is two 4-bit ones to the array, with the scales and metadata of its format.

    Attributes
    ----------
    weights, activations : float
        Between 0 and 1.
    """

    weights: float = 0.0
    activations: float = 0.0


@dataclass(frozen=True)
class Operand:
    """Bits of one group of a tensor.

    Attributes
    ----------
    elements, scales, metadata : float
        Bits of each kind; a mean where a share has 8-bit elements.
    """

    elements: float
    scales: float
    metadata: float

    @property
    def bits(self) -> float:
        """All bits of a group."""
        return self.elements + self.scales + self.metadata


def operand(format: str, eight_bit_share: float = 0.0) -> Operand:
    """Return the bits of a group of a format, of which a share has 8-bit elements."""
    spec = golden.formats.get(format)
    if eight_bit_share and spec.element_bits != 4:
        raise InputError(f"Fallback needs a format of 4-bit elements, not {format}")
    return Operand(spec.elements_bits * (1 + eight_bit_share), spec.scale_bits, spec.metadata_bits)


def results(format: str, quantized: bool) -> Operand:
    """Return the bits of as many results as a group has elements."""
    spec = golden.formats.get(format)
    return operand(format) if quantized else Operand(FP32 * spec.group, 0, 0)
