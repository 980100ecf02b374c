"""The result of quantization: packed codes and what is needed to read them."""

from dataclasses import dataclass

import numpy as np

from . import formats
from .errors import InputError
from .number_format import ROLES
from .packing import unpack

#: Elements decoded at a time: temporaries take a few megabytes, whatever the tensor's size.
BLOCK_ELEMENTS = 1 << 18


@dataclass(frozen=True, eq=False)
class Quantized:
    """A quantized tensor of logical shape (..., K).

    Attributes
    ----------
    elements : uint8 array of shape (..., K * element_bits / 8)
        Packed element codes: for four-bit elements (..., K/2), element 2i in the low nibble of
        byte i, 2i + 1 in the high one.
    scales : uint8 array of shape (..., K/group)
        One scale code a group.
    metadata : uint8 array of shape (..., K/group * metadata_bits / 8)
        One metadata byte a group, subgroup j in bits 2j+1..2j; the last axis has length 0 for a
        format without metadata.
    role : str
        ``"activations"`` or ``"weights"``.
    format : str
        Name of the format, a key of `golden.formats`.
    shape : tuple of int
        Shape of the original tensor.
    tensor_scale : float32 or None
        Scale of the whole tensor, for formats that have one (NVFP4).

    Raises
    ------
    InputError
        When an array's type or shape contradicts `shape` and `format`.
    """

    elements: np.ndarray
    scales: np.ndarray
    metadata: np.ndarray
    role: str
    format: str
    shape: tuple[int, ...]
    tensor_scale: np.float32 | None = None

    def __post_init__(self):
        spec = formats.get(self.format)
        if self.role not in ROLES:
            raise InputError(f"Role must be activations or weights, not {self.role!r}")
        spec.check_shape(self.shape)
        *rows, length = self.shape
        groups = length // spec.group
        for name, bits in (
            ("elements", spec.elements_bits),
            ("scales", spec.scale_bits),
            ("metadata", spec.metadata_bits),
        ):
            array, expected = getattr(self, name), (*rows, groups * bits // 8)
            if array.dtype != np.uint8:
                raise InputError(f"Array {name} must be uint8, not {array.dtype}")
            if array.shape != expected:
                raise InputError(
                    f"Array {name} of a {self.format} tensor of shape {self.shape} "
                    f"must have shape {expected}, not {array.shape}"
                )
        if (self.tensor_scale is not None) != spec.has_tensor_scale:
            needed = "a" if spec.has_tensor_scale else "no"
            raise InputError(f"Format {self.format} has {needed} tensor scale")

    @property
    def spec(self):
        """The format object."""
        return formats.get(self.format)

    @property
    def nbytes(self):
        """Bytes of the three arrays."""
        return self.elements.nbytes + self.scales.nbytes + self.metadata.nbytes

    def group_bytes(self):
        """Return elements, metadata and scale as byte arrays of shape (..., groups, bytes)."""
        lead = self.scales.shape
        return (
            self.elements.reshape(*lead, -1),
            self.metadata.reshape(*lead, self.spec.metadata_bits // 8),
            self.scales.reshape(*lead, 1),
        )

    def rows(self, start, stop):
        """Return rows ``start:stop`` of the tensor seen as a matrix (rows, K)."""
        arrays = (self.elements, self.scales, self.metadata)
        parts = [a.reshape(self.scales[..., 0].size, -1)[start:stop] for a in arrays]
        shape = (len(parts[0]), self.shape[-1])
        return Quantized(*parts, self.role, self.format, shape, self.tensor_scale)

    def operand(self):
        """Decode to exact integers and scales.

        Returns
        -------
        golden.number_format.Operand
            Arrays of shape (..., groups, group) and (..., groups).
        """
        elements, metadata, _ = self.group_bytes()
        codes = unpack(elements, self.spec.element_bits)
        return self.spec.decode(codes, self.scales, metadata, self.role)

    def dequantize(self):
        """Decode to floats.

        Returns
        -------
        float32 array of shape `shape`
            The exact decoded value rounded once to float32, which is only needed where it
            overflows to infinity or, times a tensor scale, has more than 24 bits; NaN groups
            are NaN.
        """
        count, length = self.scales[..., 0].size, self.shape[-1]
        values = np.empty((count, length), np.float32)
        step = max(1, BLOCK_ELEMENTS // length)
        for start in range(0, count, step):
            block = slice(start, start + step)
            values[block] = self.rows(block.start, block.stop)._decode()
        return values.reshape(self.shape)

    def _decode(self):
        """Decode a matrix at once."""
        operand = self.operand()
        factors = operand.factors()
        if self.tensor_scale is not None:
            factors *= np.float64(self.tensor_scale)
        with np.errstate(over="ignore"):
            values = (operand.integers * factors[..., None]).astype(np.float32)
        return values.reshape(self.shape)


def group_words(quantized):
    """Return the bus word of every group (spec section 6).

    Bits from 0 up: packed elements, metadata, scale: for m2xfp 127..0, 135..128, 143..136.

    Parameters
    ----------
    quantized : Quantized
        A tensor of shape (..., K).

    Returns
    -------
    uint32 array of shape (..., groups, ceil(word_bits / 32))
        Little-endian words: bits 31..0 first.
    """
    octets = np.concatenate(quantized.group_bytes(), axis=-1)
    padding = [(0, 0)] * (octets.ndim - 1) + [(0, -octets.shape[-1] % 4)]
    padded = np.ascontiguousarray(np.pad(octets, padding))
    return padded.view("<u4").astype(np.uint32)
