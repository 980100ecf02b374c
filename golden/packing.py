"""Element codes to bytes and back.

Codes of one group are packed from bit 0 up, element i at bit i * width: two four-bit codes a byte
(element 2i in the low nibble), or eight three-bit codes in three bytes.
"""

import numpy as np


def pack(planes, width):
    """Pack codes of shape (group, n), one a byte, to bytes of shape (n, group * width / 8)."""
    packed = _pack_nibbles(planes) if width == 4 else _pack_bits(planes, width)
    return np.ascontiguousarray(packed.T)


def unpack(packed, width):
    """Unpack bytes of shape (..., bytes) to codes of shape (..., bytes * 8 / width)."""
    if width == 4:
        codes = np.stack([packed & np.uint8(15), packed >> np.uint8(4)], axis=-1)
        return codes.reshape(*packed.shape[:-1], -1)
    bits = np.unpackbits(packed, axis=-1, bitorder="little")
    bits = bits.reshape(*packed.shape[:-1], -1, width)
    return np.packbits(bits, axis=-1, bitorder="little")[..., 0]


def _pack_nibbles(planes):
    return planes[0::2] | planes[1::2] << np.uint8(4)


def _pack_bits(planes, width):
    bits = (planes[:, None] >> np.arange(width, dtype=np.uint8)[:, None]) & np.uint8(1)
    return np.packbits(bits.reshape(-1, planes.shape[1]), axis=0, bitorder="little")
