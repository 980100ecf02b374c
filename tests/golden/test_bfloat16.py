"""All 65,536 BF16 values as elements, in every region of E2M1 and E2M3.

Each value v sits in a group with an anchor 0 to 6 binades above it, which sets the shared exponent;
ml_dtypes says what v rounds to under that exponent.
"""

import ml_dtypes
import numpy as np
import pytest

import golden

from .unpacking import element_codes, metadata_fields

BINADES_ABOVE = range(7)


def finite_bfloat16():
    values = np.arange(1 << 16, dtype=np.uint16).view(ml_dtypes.bfloat16)
    return values[values.view(np.uint16) & 0x7F80 != 0x7F80]


def anchored(values, above, anchor_lane):
    """Return groups with v in lane 0, and the exact shared exponent each must get."""
    exponent = np.frexp(values.astype(np.float64))[1] - 1
    exponent = np.where(values == 0, -133, exponent) + above
    fits = exponent <= 127
    groups = np.zeros((np.count_nonzero(fits), 32), ml_dtypes.bfloat16)
    groups[:, 0] = values[fits]
    groups[:, anchor_lane] = np.maximum(
        np.ldexp(1.0, exponent[fits]), np.abs(values[fits].astype(np.float64))
    )
    return groups, np.clip(exponent[fits] - 2, -127, 127)


def oracle(groups, exponent, dtype):
    """Return what ml_dtypes rounds v / 2**E to: magnitude codes."""
    scaled = np.abs(groups[:, 0].astype(np.float64)) * np.exp2(-exponent.astype(np.float64))
    largest = float(ml_dtypes.finfo(dtype).max)
    pattern = np.minimum(scaled, largest).astype(np.float32).astype(dtype).view(np.uint8)
    return pattern.astype(np.intp)


def test_all_patterns_are_used():
    assert finite_bfloat16().size == 65_280


@pytest.mark.parametrize("above", BINADES_ABOVE)
@pytest.mark.parametrize("format", ["mxfp4", "m2xfp"])
def test_element_codes(above, format):
    groups, exponent = anchored(finite_bfloat16(), above, 1)
    q = golden.quantize(groups, "activations", format=format)
    np.testing.assert_array_equal(q.scales[:, 0], exponent + 127)
    expected = oracle(groups, exponent, ml_dtypes.float4_e2m1fn)
    expected += 8 * np.signbit(groups[:, 0].astype(np.float32))
    np.testing.assert_array_equal(element_codes(q)[:, 0], expected)


@pytest.mark.parametrize("above", BINADES_ABOVE)
def test_metadata_of_the_top_element(above):
    groups, exponent = anchored(finite_bfloat16(), above, 8)
    q = golden.quantize(groups, "activations")
    c4 = oracle(groups, exponent, ml_dtypes.float4_e2m1fn)
    c6 = oracle(groups, exponent, ml_dtypes.float6_e2m3fn)
    encoded = np.minimum(np.maximum(c6 + 1, 4 * c4), 4 * c4 + 3)
    np.testing.assert_array_equal(metadata_fields(q)[:, 0], encoded % 4)


def test_every_region_is_reached():
    reached = set()
    for above in BINADES_ABOVE:
        groups, exponent = anchored(finite_bfloat16(), above, 1)
        reached |= set(oracle(groups, exponent, ml_dtypes.float6_e2m3fn).tolist())
    assert reached == set(range(32))
