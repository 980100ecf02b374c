"""Vectors of each hardware unit: what goes in, and what the golden model says comes out."""

import numpy as np

from .. import formats
from ..product import accumulate_term, matmul
from ..quantized import group_words
from ..quantizer import quantize
from .bitfields import Field, from_lanes
from .terms import terms_of_class, unit_exponent

#: Formats that vectors are written for, the default first.
FORMATS = ("m2xfp", "m2xfp_sg", "m2xfp_sg_spare")

SUBGROUPS = 4
LANES = 8

#: Weight channels and K of the tile's matrix product; the count of cases is M.
TILE_CHANNELS = 8
TILE_LENGTH = 128

GROUP_NOTE = "bits 127..0 elements (element i at 4i), 135..128 metadata, 143..136 scale"
ENCODED_NOTE = "element i at bits 4i+3..4i, metadata at 33..32"


def decode(rng, draw, count, format):
    """Build vectors of one subgroup: codes and metadata to the decoded values.

    For M2XFP those of activations, with the top-1; for M2XFP-SG those of both roles.
    """
    pair = draw(rng, -(-count // SUBGROUPS))
    if format == "m2xfp":
        nibbles, fields = _subgroups(rng, pair[0], count, "activations", format)
        codes = nibbles & 7
        top = codes == codes.max(axis=1, keepdims=True)
        top &= np.cumsum(top, axis=1) == 1
        values = _decoded_values(nibbles, fields, "activations", format)
        return {
            "": [
                _encoded(nibbles, fields),
                Field("top", 8, from_lanes(top, 1), "one-hot: bit i for lane i"),
                Field("values", 56, from_lanes(values, 7), "lane i at 7i, signed, in units of 1/8"),
            ]
        }
    tables = {}
    for x, role, unit in zip(pair, ("activations", "weights"), (8, 16), strict=True):
        nibbles, fields = _subgroups(rng, x, count, role, format)
        values = from_lanes(_decoded_values(nibbles, fields, role, format), 8)
        note = f"lane i at 8i, signed, in units of 1/{unit}"
        tables[role] = [_encoded(nibbles, fields), Field("values", 64, values, note)]
    return tables


def _encoded(nibbles, fields):
    packed = from_lanes(np.concatenate([nibbles, fields[:, None]], axis=1), 4)
    return Field("encoded", 34, packed, ENCODED_NOTE)


def _subgroups(rng, x, count, role, format):
    """Return element codes (count, 8) and metadata fields (count,), some that no encoder emits."""
    q = quantize(x, role, format=format)
    octets = q.elements.reshape(-1, LANES // 2)[:count]
    nibbles = np.stack([octets & 15, octets >> 4], axis=-1).reshape(count, LANES)
    fields = q.metadata >> np.arange(0, 2 * SUBGROUPS, 2, dtype=np.uint8) & 3
    fields = fields.reshape(-1)[:count]
    free = rng.random(count) < 0.25
    nibbles[free] = rng.integers(0, 16, (np.count_nonzero(free), LANES))
    fields[free] = rng.integers(0, 4, np.count_nonzero(free))
    return nibbles, fields


def _decoded_values(nibbles, fields, role, format):
    """Decode subgroups by the format itself, each as the first one of an otherwise zero group."""
    count = len(nibbles)
    elements = np.zeros((count, SUBGROUPS * LANES), np.uint8)
    elements[:, :LANES] = nibbles
    scales, metadata = np.full(count, 127, np.uint8), fields.astype(np.uint8)[:, None]
    operand = formats.get(format).decode(elements, scales, metadata, role)
    return operand.integers[:, :LANES]


def quantizer(rng, draw, count, format):
    """Build vectors of a group of FP32 activations to its bus word."""
    x, _ = draw(rng, count)
    words = group_words(quantize(x, "activations", format=format))[:, 0]
    return {
        "": [
            Field("x", 1024, x.view(np.uint32), "FP32 element i at bits 32i+31..32i"),
            Field("group", 144, words, GROUP_NOTE),
        ]
    }


def _quantized(x, w, format):
    a = quantize(x, "activations", format=format)
    return a, quantize(w, "weights", format=format)


def dot(rng, draw, count, format):
    """Build vectors of two groups to the exact term of their dot product."""
    x, w = draw(rng, count)
    a, b = _quantized(x, w, format)
    left, right = a.operand(), b.operand()
    sums = np.einsum("ngk,ngk->n", left.integers, right.integers, dtype=np.float64)
    invalid = (left.nan | right.nan)[:, 0]
    exponents = a.scales[:, 0].astype(np.int64) + b.scales[:, 0]
    return {
        "": [
            Field("activation", 144, group_words(a)[:, 0], GROUP_NOTE),
            Field("weight", 144, group_words(b)[:, 0], GROUP_NOTE),
            *_term_fields(
                np.where(invalid, 0, sums), np.where(invalid, 0, exponents), invalid, format
            ),
        ]
    }


def _term_fields(significand, exponent, invalid, format):
    note = f"signed; the term is significand * 2**(exponent - {-unit_exponent(format)})"
    return [
        Field("significand", 19, from_lanes(significand[:, None], 19), note),
        Field("exponent", 9, from_lanes(exponent[:, None], 9), "sum of both scale codes"),
        Field("nan", 1, from_lanes(invalid[:, None], 1), "a scale is NaN; the term means nothing"),
    ]


def accumulator(rng, draw, count, format):
    """Build vectors of a partial sum and a term to the next partial sum."""
    partial, significand, exponent, invalid = terms_of_class(rng, draw, count, format)
    total = accumulate_term(partial, significand, exponent + unit_exponent(format), invalid)
    return {
        "": [
            Field("partial", 32, partial.view(np.uint32)[:, None], "FP32"),
            *_term_fields(significand, exponent, invalid, format),
            Field("sum", 32, total.view(np.uint32)[:, None], "FP32; every NaN is 7fc00000"),
        ]
    }


def tile(rng, draw, count, format):
    """Build a matrix product C = A * W^T of whole groups, every table in row-major order."""
    groups = TILE_LENGTH // (SUBGROUPS * LANES)
    x = draw(rng, count * groups)[0].reshape(count, TILE_LENGTH)
    w = draw(rng, TILE_CHANNELS * groups)[1].reshape(TILE_CHANNELS, TILE_LENGTH)
    a, b = _quantized(x, w, format)
    product = matmul(a, b)
    left, right = (group_words(q).reshape(-1, 5) for q in (a, b))
    order = f"{{}}; row r, group g on line {groups} * r + g"
    return {
        "activations": [Field("activation", 144, left, order.format(GROUP_NOTE))],
        "weights": [Field("weight", 144, right, order.format(GROUP_NOTE))],
        "results": [
            Field(
                "result",
                32,
                product.view(np.uint32).reshape(-1, 1),
                f"FP32; row m, channel n on line {TILE_CHANNELS} * m + n",
            )
        ],
    }


#: Unit name -> function of (random generator, class generator, count, format) to named tables.
UNITS = {unit.__name__: unit for unit in (decode, quantizer, dot, accumulator, tile)}
