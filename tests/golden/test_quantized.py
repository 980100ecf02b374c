"""The packed arrays, bus words, dequantization and the checks of `Quantized`."""

import dataclasses
import re
from fractions import Fraction

import numpy as np
import pytest

import golden
from golden import formats

from . import reference
from .unpacking import element_codes, metadata_fields

LAYOUT = {  # elements, metadata and scale bytes of a group
    "m2xfp": (16, 1, 1),
    "m2xfp_sg": (16, 1, 1),
    "m2xfp_sg_spare": (16, 1, 1),
    "mxfp4": (16, 0, 1),
    "nvfp4": (8, 0, 1),
    "smx4": (6, 1, 1),
}


def example(format="m2xfp", role="weights", shape=(2, 3, 64)):
    x = np.random.default_rng(17).standard_normal(shape).astype(np.float32)
    return golden.quantize(x, role, format=format)


@pytest.mark.parametrize("format", formats.names())
def test_shapes_of_the_arrays(format):
    q = example(format)
    elements, metadata, scale = LAYOUT[format]
    groups = 64 // q.spec.group
    assert q.elements.shape == (2, 3, groups * elements)
    assert q.metadata.shape == (2, 3, groups * metadata)
    assert q.scales.shape == (2, 3, groups * scale)
    assert q.shape == (2, 3, 64)
    assert (q.format, q.role) == (format, "weights")
    assert (q.tensor_scale is None) == (format != "nvfp4")
    assert q.nbytes * 8 == q.spec.bits_per_element * 2 * 3 * 64


@pytest.mark.parametrize(
    ("format", "bits", "word"),
    [("m2xfp", 4.5, 144), ("mxfp4", 4.25, 136), ("nvfp4", 4.5, 72), ("smx4", 4, 64)],
)
def test_costs_of_the_specification(format, bits, word):
    spec = formats.get(format)
    assert (spec.bits_per_element, spec.word_bits) == (bits, word)


@pytest.mark.parametrize("format", formats.names())
def test_group_words_are_elements_metadata_scale_from_bit_0(format):
    q = example(format)
    words = golden.group_words(q)
    group, width = q.spec.group, q.spec.word_bits
    assert words.dtype == np.uint32
    assert words.shape == (2, 3, 64 // group, -(-width // 32))
    elements, metadata, _ = q.group_bytes()
    for index in np.ndindex(q.scales.shape):
        word = sum(int(w) << 32 * i for i, w in enumerate(words[index]))
        low = int.from_bytes(elements[index].tobytes(), "little")
        middle = int.from_bytes(metadata[index].tobytes(), "little")
        shift = q.spec.elements_bits
        expected = low | middle << shift | int(q.scales[index]) << shift + q.spec.metadata_bits
        assert word == expected


def test_m2xfp_word_bit_by_bit():
    q = example()
    codes, fields = element_codes(q), metadata_fields(q)
    scales = q.scales.reshape(-1)
    for i, words in enumerate(golden.group_words(q).reshape(-1, 5)):
        word = sum(int(w) << 32 * j for j, w in enumerate(words))
        assert [word >> 4 * j & 15 for j in range(32)] == codes[i].tolist()
        assert [word >> 128 + 2 * j & 3 for j in range(4)] == fields[i].tolist()
        assert word >> 136 == scales[i]


@pytest.mark.parametrize("role", ["activations", "weights"])
def test_dequantize_is_exact(role):
    rng = np.random.default_rng(18)
    x = rng.standard_normal((60, 32)) * np.exp2(rng.integers(-135, 120, (60, 1)))
    q = golden.quantize(x, role)
    decode = reference.decode_activation if role == "activations" else reference.decode_weight
    decoded = q.dequantize()
    assert decoded.dtype == np.float32
    codes, fields = element_codes(q).tolist(), metadata_fields(q).tolist()
    for i, row in enumerate(decoded):
        exact = decode(int(q.scales[i, 0]), codes[i], fields[i])
        assert [Fraction(float(v)) for v in row] == exact
        np.testing.assert_array_equal(np.signbit(row), np.array(codes[i]) >= 8)


def test_dequantize_overflows_to_infinity():
    # The ceil rule takes 2**128 - 2**104 to 4 * 2**126, beyond float32.
    x = np.full((1, 32), np.finfo(np.float32).max)
    q = golden.quantize(x, "weights", format="mxfp4", scale_rule="ceil")
    assert np.isposinf(q.dequantize()).all()


def test_scale_254_is_a_number():
    arrays = (np.full((1, 16), 0x91, np.uint8), np.array([[254]], np.uint8))
    q = golden.Quantized(*arrays, np.zeros((1, 0), np.uint8), "weights", "mxfp4", (1, 32))
    assert q.dequantize()[0, :2].tolist() == [2.0**126, -(2.0**126)]


def test_rows_and_immutability():
    q = example(shape=(2, 3, 64))
    part = q.rows(1, 4)
    np.testing.assert_array_equal(part.dequantize(), q.dequantize().reshape(6, 64)[1:4])
    with pytest.raises(dataclasses.FrozenInstanceError):
        q.role = "activations"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"role": "bias"}, "Role must be activations or weights, not 'bias'"),
        ({"format": "fp4"}, f"Format must be one of {', '.join(LAYOUT)}, not 'fp4'"),
        ({"shape": (2, 0)}, "Shape must be of positive integers, not (2, 0)"),
        ({"shape": ()}, "Shape must be of positive integers, not ()"),
        ({"shape": (2, 40)}, "Last axis K must be a multiple of 32 for m2xfp, not 40"),
        (
            {"shape": (2, 96)},
            "Array elements of a m2xfp tensor of shape (2, 96) must have shape (2, 48), "
            "not (2, 32)",
        ),
        ({"scales": np.zeros((2, 2), np.int8)}, "Array scales must be uint8, not int8"),
        ({"tensor_scale": np.float32(1)}, "Format m2xfp has no tensor scale"),
    ],
)
def test_inconsistent_fields_are_refused(change, message):
    q = example(shape=(2, 64))
    with pytest.raises(golden.InputError, match=f"^{re.escape(message)}$"):
        dataclasses.replace(q, **change)
