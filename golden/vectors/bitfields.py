"""Fields of bits, wider than any integer type: arrays of little-endian 32-bit words."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Field:
    """A column of a table.

    Attributes
    ----------
    name : str
        Name in the manifest and the ``.npz`` file.
    width : int
        Bits.
    words : uint32 array of shape (count, ceil(width / 32))
        Values, bits 31..0 first; bits from `width` up are 0.
    note : str
        What the bits mean.
    """

    name: str
    width: int
    words: np.ndarray
    note: str


def from_lanes(lanes, width):
    """Pack integers into words, lane i at bit i * width.

    Parameters
    ----------
    lanes : integer array of shape (count, lanes)
        Values; a negative one becomes its two's complement.
    width : int
        Bits a lane, at most 32.

    Returns
    -------
    uint32 array of shape (count, ceil(lanes * width / 32))
    """
    bits = lanes.astype(np.int64)[:, :, None] >> np.arange(width) & 1
    return from_bits(bits.reshape(len(lanes), -1))


def from_bits(bits):
    """Pack bits (count, width), lowest first, into words."""
    padded = np.pad(bits.astype(np.uint8), ((0, 0), (0, -bits.shape[1] % 32)))
    return np.packbits(padded, axis=1, bitorder="little").view("<u4").astype(np.uint32)


def to_bits(field):
    """Unpack a field to bits (count, width), lowest first."""
    octets = np.ascontiguousarray(field.words.astype("<u4")).view(np.uint8)
    return np.unpackbits(octets, axis=1, bitorder="little")[:, : field.width]


def hex_lines(fields):
    """Return ``$readmemh`` text: a line a row, the fields concatenated, the first one lowest."""
    bits = np.concatenate([to_bits(field) for field in fields], axis=1)
    digits = -(-bits.shape[1] // 4)
    octets = np.packbits(bits, axis=1, bitorder="little")[:, ::-1]
    lines = (row.tobytes().hex()[-digits:] for row in np.ascontiguousarray(octets))
    return "".join(f"{line}\n" for line in lines)
