"""Two layers of a network: the tile's results, quantized in gateware, are the next activations."""

import functools

import numpy as np
import pytest

import golden
from hdl import formats
from hdl.quantizer import QuantizationEngine
from sim import engines, quantize

from .test_tile import quantized, run_tile, tile_of

#: The size of tile that its own tests compile.
COLUMNS = 3


def product(a, w, **options):
    """Multiply on the tile; return the bits (M, N) of A * W^T."""
    return run_tile(tile_of(a.format, COLUMNS), a, w, **options)[0]


@functools.cache
def engine_of(name):
    """Return an engine, the same one for the same format: it is exported once."""
    return QuantizationEngine(formats.get(name))


def activations(bits, name, **options):
    """Quantize rows of FP32 bits on the engine, as the next layer's activations."""
    engine = engine_of(name)
    groups = bits.size // engine.format.lanes
    beats = np.ascontiguousarray(bits).reshape(groups, -1)
    run = engines.get("fast").run_streams(engine, {"values": beats}, {"groups": groups}, **options)
    like = golden.quantize(np.zeros(bits.shape, np.float32), "activations", format=name)
    return quantize.from_words(run.outputs["groups"], like)


def weights(channels, groups, name, seed):
    values = np.random.default_rng(seed).standard_normal((channels, 32 * groups))
    return golden.quantize(values.astype(np.float32), "weights", format=name)


@pytest.mark.parametrize(("name", "stall"), [("m2xfp", 0.0), ("m2xfp", 0.3)])
def test_two_layers(name, stall):
    x = quantized("activations", 13, 3, name, seed=1)
    first = weights(96, 3, name, seed=2)
    second = weights(12, 3, name, seed=3)

    hidden = activations(product(x, first, stall=stall), name, stall=stall)
    got = product(hidden, second, stall=stall)

    expected_hidden = golden.quantize(golden.matmul(x, first), "activations", format=name)
    np.testing.assert_array_equal(hidden.elements, expected_hidden.elements)
    np.testing.assert_array_equal(hidden.metadata, expected_hidden.metadata)
    np.testing.assert_array_equal(hidden.scales, expected_hidden.scales)
    expected = golden.matmul(expected_hidden, second)
    np.testing.assert_array_equal(got, expected.view(np.uint32))
    # The row that holds a NaN stays NaN; the others are numbers.
    assert np.isnan(expected[-1]).all()
    assert np.isfinite(expected[:-1]).all()
