import numpy as np
import pytest

from hdl import formats
from hdl.decode import DecodeUnit
from hdl.dot import SubgroupDot
from hdl.fabric import Fabric
from sim import engines

from .operands import E2M1_HALVES, decoded_eighths, field, pack
from .test_decode import encode

#: Nibble 8 in units of 1/2, transcribed from docs/m2xfp_sg.md: of activations and of weights.
SPARE = (14, 10)


def signed_halves(nibbles, spare=0):
    magnitudes = E2M1_HALVES[nibbles & 7]
    values = np.where(nibbles & 8, -magnitudes, magnitudes)
    return np.where(nibbles == 8, spare, values)


def subgroup_dot(format, activations, metadata, weights, engine):
    """Decode activations and return their subgroup dot products with the weights."""
    run = engines.get(engine).run_pipeline
    encoded = encode(activations, metadata)
    if format.name != "m2xfp":
        encoded = encoded[:, :1]
    operand = run(DecodeUnit(format), {"encoded": encoded}, ["operand"], 0)["operand"]
    weight = pack([(weights[:, lane], 4) for lane in range(8)])
    inputs = {"activation": operand, "weight": weight}
    rows = run(SubgroupDot(format), inputs, ["rows"], format.fabric.cut)["rows"]
    bits = format.product_bits
    # Offset binary, modulo 2**bits.
    total = field(rows, 0, bits).astype(np.int64) + field(rows, bits, bits).astype(np.int64)
    return total % (1 << bits) - (1 << (bits - 1))


def check_dot(name, fabric, activations, metadata, weights, engine="fast"):
    got = subgroup_dot(formats.get(name, fabric), activations, metadata, weights, engine)
    spares = SPARE if name == "m2xfp_sg_spare" else (0, 0)
    if name == "m2xfp":
        values = decoded_eighths(activations, metadata)
    else:
        values = signed_halves(activations, spares[0])
    expected = (values * signed_halves(weights, spares[1])).sum(axis=1)
    np.testing.assert_array_equal(got, expected)


def all_products():
    """Every activation nibble times every weight nibble, in every lane and metadata."""
    x, w, lane, metadata = (
        axis.ravel()
        for axis in np.meshgrid(range(16), range(16), range(8), range(4), indexing="ij")
    )
    rows = np.arange(len(x))
    activations = np.zeros((len(x), 8), np.uint8)
    weights = np.zeros((len(x), 8), np.uint8)
    activations[rows, lane] = x
    weights[rows, lane] = w
    return activations, metadata.astype(np.uint8), weights


def random_dots(count, seed=11):
    rng = np.random.default_rng(seed)
    nibbles = rng.integers(0, 16, (2, count, 8), np.uint8)
    # The extremes: all elements of largest magnitude, of one sign and of both.
    nibbles[:, : count // 8] |= 7
    nibbles[:, : count // 16] = 7
    nibbles[0, : count // 32] = 8
    return nibbles[0], rng.integers(0, 4, count, np.uint8), nibbles[1]


UNITS = pytest.mark.parametrize(
    ("name", "fabric"), [(name, fabric) for name in formats.names() for fabric in Fabric]
)


@UNITS
def test_every_element_product(name, fabric):
    check_dot(name, fabric, *all_products())


@UNITS
def test_random_and_extreme_sums(name, fabric):
    check_dot(name, fabric, *random_dots(200_000))


@UNITS
def test_random_and_extreme_sums_in_amaranth(name, fabric):
    check_dot(name, fabric, *random_dots(300), engine="amaranth")


def test_fabric_is_checked():
    with pytest.raises(TypeError, match=r"^Fabric must be a member of Fabric, not 'luts'$"):
        formats.get("m2xfp", "luts")
