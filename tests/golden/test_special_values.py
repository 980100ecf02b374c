"""NaN, infinities and zeros (spec section 5)."""

import ml_dtypes
import numpy as np
import pytest

import golden
from golden import formats

from .comparing import bits
from .unpacking import element_codes

SPECIAL = (np.nan, -np.nan, np.inf, -np.inf)
FLOATS = (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)
ROLES = ("activations", "weights")


@pytest.mark.parametrize("format", formats.names())
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("value", SPECIAL)
def test_nan_groups(format, role, dtype, value):
    x = np.random.default_rng(9).standard_normal((3, 64)).astype(dtype)
    clean = golden.quantize(x, role, format=format)
    spec = clean.spec
    x[1, 37] = value
    q = golden.quantize(x, role, format=format)
    index = (1, 37 // spec.group)
    elements, metadata, scales = q.group_bytes()
    assert not elements[index].any()
    assert scales[index] == (127 if format == "nvfp4" else 255)
    marker = 0x55 if (format, role) == ("m2xfp", "activations") else 0
    assert (metadata[index] == marker).all()
    decoded = q.dequantize().reshape(3, -1, spec.group)
    assert np.isnan(decoded[index]).all()
    assert np.isnan(decoded).sum() == spec.group
    if not spec.has_tensor_scale:  # no other group notices
        others = np.ones(scales.shape[:2], bool)
        others[index] = False
        for got, expected in zip(q.group_bytes(), clean.group_bytes(), strict=True):
            np.testing.assert_array_equal(got[others], expected[others])


@pytest.mark.parametrize("format", formats.names())
def test_every_nan_pattern_of_bfloat16(format):
    patterns = np.arange(1 << 16, dtype=np.uint16)
    nan = patterns[(patterns & 0x7F80) == 0x7F80].view(ml_dtypes.bfloat16)
    x = np.zeros((len(nan), 32), ml_dtypes.bfloat16)
    x[:, 5] = nan
    q = golden.quantize(x, "activations", format=format)
    assert np.isnan(q.dequantize()[:, : q.spec.group]).all()


@pytest.mark.parametrize("format", ["m2xfp", "m2xfp_sg", "m2xfp_sg_spare", "mxfp4"])
@pytest.mark.parametrize("role", ROLES)
def test_all_zero_groups(format, role):
    q = golden.quantize(np.zeros((2, 64), np.float32), role, format=format)
    assert not q.elements.any()
    assert not q.scales.any()
    marker = 0x55 if (format, role) == ("m2xfp", "activations") else 0
    assert (q.metadata == marker).all()


@pytest.mark.parametrize("format", formats.names())
@pytest.mark.parametrize("role", ROLES)
def test_zeros_keep_their_sign(format, role):
    x = np.zeros((2, 64), np.float32)
    x[0, ::3] = -0.0
    x[1] = 1e-6  # far below the smallest step of its group: rounds to a signed zero
    x[1, ::3] = -1e-6
    x[1, ::16] = 6
    q = golden.quantize(x, role, format=format)
    signed = np.signbit(x) & (np.abs(x) > 1) if format == "m2xfp_sg_spare" else np.signbit(x)
    np.testing.assert_array_equal(np.signbit(q.dequantize()), signed)
    if format in ("m2xfp", "m2xfp_sg", "mxfp4"):
        assert (element_codes(q).reshape(2, 64) >> 3 == np.signbit(x)).all()


def test_nan_reaches_every_dot_product_of_its_group():
    rng = np.random.default_rng(10)
    x, w = rng.standard_normal((2, 5, 64)).astype(np.float32)
    x[2, 40] = np.nan
    w[3] = 0
    w[4, 1] = np.inf
    for format in formats.names():
        a = golden.quantize(x, "activations", format=format)
        b = golden.quantize(w, "weights", format=format)
        result = bits(golden.matmul(a, b))
        nan = np.zeros((5, 5), bool)
        nan[2] = nan[:, 4] = True
        np.testing.assert_array_equal(result == 0x7FC00000, nan)
