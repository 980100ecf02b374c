"""Pairs of partial sum and term for the accumulator: what groups give, and aimed cases."""

import numpy as np

from .. import formats
from ..quantizer import quantize
from . import classes


def unit_exponent(format):
    """Return the exponent of one unit of a significand when both scale codes are 0."""
    spec = formats.get(format)
    elements, scales = np.zeros((1, spec.group), np.uint8), np.zeros(1, np.uint8)
    metadata = np.zeros((1, spec.metadata_bits // 8), np.uint8)
    roles = ("activations", "weights")
    return sum(int(spec.decode(elements, scales, metadata, r).exponent[0]) for r in roles)


def terms_of_class(rng, draw, count, format="m2xfp"):
    """Draw partial sums and terms of an input class.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    draw : callable
        One of `golden.vectors.classes.CLASSES`.
    count : int
        Pairs.
    format : str
        A format with E8M0 scales and groups of 32.

    Returns
    -------
    partial : float32 array of shape (count,)
    significand : int64 array of shape (count,)
        At most 131712 in magnitude for M2XFP.
    exponent : int64 array of shape (count,)
        Sum of two scale codes: the term is significand * 2**(exponent + unit_exponent(format)).
    invalid : bool array of shape (count,)
        Whether the term is NaN.
    """
    x, w = draw(rng, count)
    a = quantize(x, "activations", format=format)
    b = quantize(w, "weights", format=format)
    left, right = a.operand(), b.operand()
    invalid = (left.nan | right.nan)[:, 0]
    sums = np.einsum("ngk,ngk->n", left.integers, right.integers, dtype=np.float64)
    significand = np.where(invalid, 0, sums).astype(np.int64)
    exponent = np.where(invalid, 0, a.scales[:, 0].astype(np.int64) + b.scales[:, 0])
    term = np.ldexp(significand.astype(np.float64), exponent + unit_exponent(format))
    with np.errstate(over="ignore"):
        partial = AIM.get(draw, _nearby)(rng, term).astype(np.float32)
    return partial, significand, exponent, invalid


def _nearby(rng, term):
    """Draw partial sums within 30 binades of the term."""
    magnitude = np.where(term == 0, 1.0, term)
    return magnitude * rng.uniform(-1, 1, term.shape) * np.exp2(rng.integers(-30, 31, term.shape))


def _halfway(rng, term):
    """Draw partial sums whose unit in the last place is twice the term's lowest set bit."""
    fraction, exponent = np.frexp(term)
    integer = np.abs(np.ldexp(fraction, 53)).astype(np.int64)
    _, lowest = np.frexp(integer & -integer)  # one more than the index of the lowest set bit
    unit = exponent - 53 + lowest
    significand = rng.integers(1 << 23, 1 << 24, term.shape) * rng.choice([-1, 1], term.shape)
    return np.ldexp(significand.astype(np.float64), unit)


def _at_powers_of_two(rng, term):
    """Draw powers of two near the term, one unit in the last place below, on and above."""
    _, exponent = np.frexp(term)
    power = np.ldexp(1.0, np.clip(exponent + rng.integers(-24, 25, term.shape), -125, 127))
    bits = power.astype(np.float32).view(np.uint32) + rng.integers(-1, 2, term.shape)
    return bits.astype(np.uint32).view(np.float32) * rng.choice([-1.0, 1.0], term.shape)


def _opposite(rng, term):
    """Draw the term's opposite, a few units in the last place off or not."""
    with np.errstate(over="ignore"):
        bits = (-term).astype(np.float32).view(np.uint32)
    moved = bits + rng.integers(0, 3, term.shape)
    return np.where(bits & 0x7FFFFFFF, moved, bits).astype(np.uint32).view(np.float32)


def _subnormal(rng, term):
    """Draw partial sums among and just above the FP32 subnormals."""
    return rng.integers(-(1 << 25), 1 << 25, term.shape) * 2.0**-149


def _special(rng, term):
    """Draw NaN of several patterns, infinities and both zeros."""
    patterns = [0x7FC00000, 0xFFC00001, 0x7F800001, 0x7F800000, 0xFF800000, 0, 0x80000000]
    return rng.choice(np.array(patterns + [0x3F800000] * 4, np.uint32), term.shape).view(np.float32)


#: Class -> how the partial sum is chosen; the others take any value near the term.
AIM = {
    classes.ties: _halfway,
    classes.binade_edges: _at_powers_of_two,
    classes.subnormals: _subnormal,
    classes.cancellation: _opposite,
    classes.nan: _special,
}
