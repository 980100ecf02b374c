"""Random and aimed operands for gateware tests, as NumPy arrays of codes and bus words."""

import numpy as np

#: Transcribed from the format specification, not taken from the code under test.
E2M1_HALVES = np.array([0, 1, 2, 3, 4, 6, 8, 12])
E2M3_EIGHTHS = np.array([*range(16), *range(16, 32, 2), *range(32, 64, 4)])


def pack(fields):
    """Concatenate ``(values, width)`` fields, lowest first, into (n, words) uint32."""
    count = len(fields[0][0])
    total = sum(width for _, width in fields)
    bits = np.zeros((count, -(-total // 32) * 32), np.uint8)
    position = 0
    for values, width in fields:
        values = np.asarray(values).astype(np.int64)
        for bit in range(width):
            bits[:, position] = (values >> bit) & 1
            position += 1
    return np.packbits(bits, axis=1, bitorder="little").view("<u4")


def field(words, offset, width):
    """Extract an unsigned field of up to 57 bits from (n, words) uint32."""
    first, shift = divmod(offset, 32)
    value = np.zeros(len(words), np.uint64)
    for index in range(-(-(shift + width) // 32)):
        value |= words[:, first + index].astype(np.uint64) << np.uint64(32 * index)
    return (value >> np.uint64(shift)) & np.uint64((1 << width) - 1)


def signed_field(words, offset, width):
    """Extract a two's complement field."""
    value = field(words, offset, width).astype(np.int64)
    return value - ((value >> (width - 1)) << width)


def top_one(codes):
    """Return the index of the largest code of each row, the lowest among equals."""
    return np.argmax(codes, axis=-1)


def decoded_eighths(nibbles, metadata):
    """Decode M2XFP activation subgroups (n, 8), as format spec section 2, in units of 1/8."""
    codes = nibbles & 7
    rows = np.arange(len(codes))
    top = top_one(codes)
    magnitudes = 4 * E2M1_HALVES[codes]
    corrected = np.maximum(4 * codes[rows, top].astype(int) + metadata.astype(int) - 1, 0)
    magnitudes[rows, top] = E2M3_EIGHTHS[corrected]
    return np.where(nibbles & 8, -magnitudes, magnitudes)
