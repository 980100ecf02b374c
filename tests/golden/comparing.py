"""Compare quantized groups with the exact-rational reference, code by code."""

import numpy as np

import golden

from . import reference
from .unpacking import element_codes, metadata_fields


def assert_m2xfp(x, role, rule="floor", adaptive=True):
    """Check every stored code of finite groups x (n, 32)."""
    q = golden.quantize(x, role, scale_rule=rule, adaptive=adaptive)
    elements, fields = element_codes(q), metadata_fields(q)
    for i, group in enumerate(x):
        if role == "activations":
            expected = reference.activation_group(group, rule)
        else:
            expected = reference.weight_group(group, rule, adaptive)
        got = (int(q.scales[i, 0]), elements[i].tolist(), fields[i].tolist())
        assert got == expected, f"{role} {rule} group {i}: {group!r}"


def assert_mxfp4(x, rule="floor"):
    """Check every stored code of finite groups x (n, 32)."""
    q = golden.quantize(x, "activations", format="mxfp4", scale_rule=rule)
    elements = element_codes(q)
    for i, group in enumerate(x):
        got = (int(q.scales[i, 0]), elements[i].tolist())
        assert got == reference.mxfp4_group(group, rule), f"{rule} group {i}: {group!r}"


def bits(values):
    """Return the bit patterns of float32 values, for comparisons that see signs and NaN."""
    return np.ascontiguousarray(values, np.float32).view(np.uint32)
