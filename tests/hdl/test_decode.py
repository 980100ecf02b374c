import numpy as np
import pytest

import golden
from hdl import formats
from hdl.decode import DecodeUnit
from sim import engines

from .operands import decoded_eighths, field, pack, top_one

FORMAT = formats.get("m2xfp")
LAYOUT = FORMAT.activation_subgroup


def encode(nibbles, metadata):
    shifts = np.arange(0, 32, 4, dtype=np.uint32)
    elements = (nibbles.astype(np.uint32) << shifts).sum(axis=1, dtype=np.uint32)
    return np.stack([elements, metadata.astype(np.uint32)], axis=1)


def check_decode(nibbles, metadata, engine="fast"):
    """Compare top-1, elements and correction of every row with the specification."""
    words = engines.get(engine).run_pipeline(
        DecodeUnit(FORMAT), {"encoded": encode(nibbles, metadata)}, ["operand"], 0
    )["operand"]
    top = top_one(nibbles & 7)
    rows = np.arange(len(nibbles))

    elements = field(words, LAYOUT["elements"].offset, 32)
    assert (elements == encode(nibbles, metadata)[:, 0]).all()
    values = decoded_eighths(nibbles, metadata)
    plain = decoded_eighths(nibbles, np.ones_like(metadata))
    expected = values[rows, top] - plain[rows, top]
    one_hot = np.where(expected == 0, 0, 1 << top)
    assert (field(words, LAYOUT["top"].offset, 8) == one_hot).all()

    offset = LAYOUT["correction"].offset
    shift, negative = field(words, offset, 2).astype(int), field(words, offset + 2, 1)
    correction = np.where(negative, -1, 1) << shift
    assert (correction == expected)[expected != 0].all()


def test_top_one_of_all_magnitudes():
    """All 2**24 combinations of eight magnitude codes, signs and metadata drawn at random."""
    rng = np.random.default_rng(24)
    chunk = 1 << 21
    for start in range(0, 1 << 24, chunk):
        numbers = np.arange(start, start + chunk, dtype=np.uint32)
        codes = (numbers[:, None] >> np.arange(0, 24, 3, dtype=np.uint32)) & 7
        signs = rng.integers(0, 2, codes.shape, np.uint8)
        metadata = rng.integers(0, 4, chunk, np.uint8)
        check_decode(codes.astype(np.uint8) | signs << 3, metadata)


def corrections():
    """Every top-1 nibble, at every index, with every metadata, among zeros."""
    nibble, index, metadata = (
        axis.ravel() for axis in np.meshgrid(range(16), range(8), range(4), indexing="ij")
    )
    nibbles = np.zeros((len(nibble), 8), np.uint8)
    nibbles[np.arange(len(nibble)), index] = nibble
    return nibbles, metadata.astype(np.uint8)


def test_every_correction_in_amaranth():
    check_decode(*corrections(), engine="amaranth")


def test_agrees_with_golden_decoding():
    """The table of this test's specification and golden's decoder, on the same groups."""
    rng = np.random.default_rng(3)
    nibbles = rng.integers(0, 16, (1000, 32), np.uint8)
    metadata = rng.integers(0, 4, (1000, 4), np.uint8)
    quantized = golden.Quantized(
        elements=nibbles[:, ::2] | nibbles[:, 1::2] << 4,
        scales=np.full((1000, 1), 127, np.uint8),
        metadata=(metadata << np.array([0, 2, 4, 6])).sum(axis=1, keepdims=True).astype(np.uint8),
        role="activations",
        format="m2xfp",
        shape=(1000, 32),
    )
    values = decoded_eighths(nibbles.reshape(-1, 8), metadata.ravel()).reshape(1000, 32)
    np.testing.assert_array_equal(quantized.dequantize(), values / 8)


def test_mxfp4_passes_elements_on():
    rng = np.random.default_rng(5)
    words = pack([(rng.integers(0, 2**32, 1000), 32)])
    unit = DecodeUnit(formats.get("mxfp4"))
    decoded = engines.get("amaranth").run_pipeline(unit, {"encoded": words}, ["operand"], 0)
    np.testing.assert_array_equal(decoded["operand"], words)


def test_format_is_checked():
    with pytest.raises(TypeError, match=r"^Format must be a gateware format, not 'm2xfp'$"):
        DecodeUnit("m2xfp")
