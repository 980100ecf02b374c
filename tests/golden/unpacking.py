"""Read the packed arrays as spec section 6 draws them, without the package's own unpacking."""

import numpy as np


def element_codes(quantized):
    """Return four-bit element codes of shape (groups, group)."""
    group = quantized.elements.size * 2 // quantized.scales.size
    flat = quantized.elements.reshape(-1)
    codes = np.empty(2 * flat.size, np.uint8)
    codes[0::2] = flat % 16
    codes[1::2] = flat // 16
    return codes.reshape(-1, group)


def metadata_fields(quantized):
    """Return two-bit metadata fields of shape (groups, 4)."""
    flat = quantized.metadata.reshape(-1).astype(int)
    return np.stack([flat // 4**j % 4 for j in range(4)], axis=-1)
