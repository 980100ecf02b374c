"""What quantize takes and refuses, and that chunks, threads and layouts do not show."""

import re
import tracemalloc

import ml_dtypes
import numpy as np
import pytest

import golden
from golden import formats, quantizer

ROLES = ("activations", "weights")


def assert_same(a, b):
    for name in ("elements", "scales", "metadata"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.tensor_scale == b.tensor_scale
    assert a.shape == b.shape


def tensor(shape, dtype=np.float32):
    rng = np.random.default_rng(19)
    x = rng.standard_t(2, shape) * np.exp2(rng.integers(-10, 3, (*shape[:-1], 1)))
    return x.astype(dtype)


@pytest.mark.parametrize("format", formats.names())
@pytest.mark.parametrize("role", ROLES)
def test_threads_and_chunks_do_not_change_the_result(format, role, monkeypatch):
    x = tensor((257, 416))
    expected = golden.quantize(x, role, format=format, threads=1)
    for threads in (2, 3, None):
        assert_same(golden.quantize(x, role, format=format, threads=threads), expected)
    monkeypatch.setattr(quantizer, "CHUNK_ELEMENTS", 5 * 32)
    assert_same(
        golden.quantize(x[:20], role, format=format, threads=2).rows(0, 7),
        golden.quantize(x[:20], role, format=format, threads=1).rows(0, 7),
    )
    if format != "nvfp4":  # its tensor scale depends on all rows
        part = golden.quantize(x[100:120], role, format=format, threads=4)
        assert_same(part, expected.rows(100, 120))


@pytest.mark.parametrize("format", formats.names())
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_wider_types_give_the_same_codes(format, role, dtype):
    x = tensor((40, 64), dtype)
    narrow = golden.quantize(x, role, format=format)
    for wider in (np.float32, np.float64):
        assert_same(golden.quantize(x.astype(wider), role, format=format), narrow)


def test_float64_is_not_rounded_first():
    x = np.zeros((1, 32))
    x[0, 0] = 4
    x[0, 1] = np.nextafter(1.25, 2)  # in float32 a tie, which goes down to 1.0
    assert golden.quantize(x, "activations", format="mxfp4").dequantize()[0, 1] == 1.5
    x = x.astype(np.float32)
    assert golden.quantize(x, "activations", format="mxfp4").dequantize()[0, 1] == 1.0
    below = np.full((1, 32), np.nextafter(4.0, 0))  # rounds to 4.0 in float32
    assert golden.quantize(below, "weights", format="mxfp4").scales[0, 0] == 126


@pytest.mark.parametrize("dtype", [">f2", ">f4", ">f8"])
def test_byte_order_and_memory_layout_do_not_matter(dtype):
    x = tensor((64, 96))
    native = x.astype(np.dtype(dtype).newbyteorder("="))
    expected = golden.quantize(native, "weights")
    for same in (native.astype(dtype), np.asfortranarray(native), np.repeat(native, 2, 1)[:, ::2]):
        assert_same(golden.quantize(same, "weights"), expected)


def test_leading_axes():
    x = tensor((2, 3, 4, 64))
    q = golden.quantize(x, "activations")
    assert q.elements.shape == (2, 3, 4, 32)
    flat = golden.quantize(x.reshape(24, 64), "activations")
    np.testing.assert_array_equal(q.elements.reshape(24, 32), flat.elements)
    assert golden.quantize(x[0, 0, 0], "activations").scales.shape == (2,)


def peak_memory(function):
    tracemalloc.start()
    result = function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, result


@pytest.mark.parametrize("format", formats.names())
def test_memory_does_not_grow_with_the_tensor(format):
    x = tensor((1024, 4096))
    golden.quantize(x[:32], "weights", format=format)  # makes the tables
    peak, q = peak_memory(lambda: golden.quantize(x, "weights", format=format, threads=2))
    assert peak - q.nbytes < 16 << 20
    peak, decoded = peak_memory(q.dequantize)
    assert peak - decoded.nbytes < 16 << 20


def test_the_input_is_left_alone():
    x = tensor((8, 64))
    x[3, 3] = np.nan
    before = x.tobytes()
    x.setflags(write=False)
    for format in formats.names():
        golden.quantize(x, "weights", format=format)
        golden.quantize(x[:1, :32], "weights", format=format)
    assert x.tobytes() == before


@pytest.mark.parametrize(
    "dtype", [np.int32, np.uint8, np.bool_, np.complex64, object, "U3", ml_dtypes.float8_e4m3fn]
)
def test_other_types_are_refused(dtype):
    x = np.zeros((2, 32), dtype)
    message = f"Tensor must be float16, bfloat16, float32 or float64, not {x.dtype.name}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$") as caught:
        golden.quantize(x, "weights")
    assert isinstance(caught.value, golden.InputError)


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((), {}, "Tensor must have at least one axis, not be a single number"),
        ((0, 32), {}, "Tensor must not be empty, but its shape is (0, 32)"),
        ((3, 0), {}, "Tensor must not be empty, but its shape is (3, 0)"),
        ((2, 48), {}, "Last axis K must be a multiple of 32 for m2xfp, not 48"),
        ((2, 24), {"format": "nvfp4"}, "Last axis K must be a multiple of 16 for nvfp4, not 24"),
        ((2, 32), {"role": "bias"}, "Role must be activations or weights, not 'bias'"),
        (
            (2, 32),
            {"format": "fp4"},
            "Format must be one of m2xfp, m2xfp_sg, m2xfp_sg_spare, mxfp4, nvfp4, smx4, not 'fp4'",
        ),
        (
            (2, 32),
            {"scale_rule": "up"},
            "Scale rule of m2xfp must be one of floor, ceil, rtn1, rtn2, not 'up'",
        ),
        (
            (2, 32),
            {"format": "nvfp4", "scale_rule": "ceil"},
            "Scale rule of nvfp4 must be one of floor, four_six, search, not 'ceil'",
        ),
        ((2, 32), {"threads": 0}, "Threads must be a positive integer, not 0"),
    ],
)
def test_bad_arguments_are_refused(shape, options, message):
    arguments = {"role": "weights"} | options
    with pytest.raises(golden.InputError, match=f"^{re.escape(message)}$"):
        golden.quantize(np.ones(shape, np.float32), **arguments)
