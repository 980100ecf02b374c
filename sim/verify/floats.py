"""Floating-point inputs as z3 terms, written from IEEE 754 and not from the gateware."""

import math
from dataclasses import dataclass

import z3

from .terms import bit, field

__all__ = ["FLOATS", "UNIT", "WIDTH", "Float", "in_group", "scale_power"]

#: Magnitudes are integers of WIDTH bits in units of 2**-UNIT: enough for every value, for every
#: midpoint that it is compared with and for the units of what is compared.
UNIT, WIDTH = 160, 300


@dataclass(frozen=True)
class Float:
    """An IEEE-like type: sign, biased exponent, fraction.

    Attributes
    ----------
    exponent_bits, fraction_bits : int
    """

    exponent_bits: int
    fraction_bits: int

    @property
    def width(self) -> int:
        """Bits of a value."""
        return 1 + self.exponent_bits + self.fraction_bits

    def encode(self, value: float) -> int:
        """Return the bits of a normal value that the type has, or of zero."""
        sign = (math.copysign(1, value) < 0) << self.width - 1
        if not value:
            return sign
        significand, exponent = math.frexp(abs(value))
        fraction = int((2 * significand - 1) * (1 << self.fraction_bits))
        biased = exponent - 1 + (1 << self.exponent_bits - 1) - 1
        return sign | biased << self.fraction_bits | fraction

    def sign(self, value: z3.BitVecRef) -> z3.BoolRef:
        """Return whether a value is negative, a zero included."""
        return bit(value, self.width - 1)

    def finite(self, value: z3.BitVecRef) -> z3.BoolRef:
        """Return whether a value is neither NaN nor infinite."""
        return ~self._exponent(value) != 0

    def magnitude(self, value: z3.BitVecRef) -> z3.BitVecRef:
        """Return |value| of a finite value, exactly."""
        exponent = self._exponent(value)
        subnormal = exponent == 0
        hidden = z3.If(subnormal, z3.BitVecVal(0, 1), z3.BitVecVal(1, 1))
        fraction = z3.Concat(hidden, field(value, 0, self.fraction_bits))
        # A subnormal value has the exponent of the least normal ones.
        least = z3.If(subnormal, z3.BitVecVal(1, self.exponent_bits), exponent)
        bias = (1 << (self.exponent_bits - 1)) - 1
        shift = z3.ZeroExt(WIDTH - self.exponent_bits, least) + UNIT - bias - self.fraction_bits
        return z3.ZeroExt(WIDTH - 1 - self.fraction_bits, fraction) << shift

    def exponent(self, value: z3.BitVecRef) -> z3.BitVecRef:
        """Return floor(log2 |value|) + 127, not below 0, in 8 bits; 255 for NaN and infinity."""
        biased = self._exponent(value)
        if self.exponent_bits == 8:
            return biased
        found = z3.BitVecVal(0, 8)
        rebias = 128 - (1 << (self.exponent_bits - 1))
        for place in range(self.fraction_bits):
            leading = 1 + rebias + place - self.fraction_bits
            found = z3.If(bit(value, place), z3.BitVecVal(leading, 8), found)
        rebased = z3.ZeroExt(8 - self.exponent_bits, biased) + rebias
        found = z3.If(biased == 0, found, rebased)
        return z3.If(self.finite(value), found, z3.BitVecVal(255, 8))

    def _exponent(self, value: z3.BitVecRef) -> z3.BitVecRef:
        return field(value, self.fraction_bits, self.exponent_bits)


#: Input types of the engine by name.
FLOATS = {"fp32": Float(8, 23), "bf16": Float(8, 7), "fp16": Float(5, 10)}


def scale_power(largest: z3.BitVecRef) -> z3.BitVecRef:
    """Return log2 of the scale 2^E in units of magnitudes, from max(floor(log2 amax) + 127, 0).

    E is floor(log2 amax) - 2, not below -127 (format spec, sections 2 and 5).
    """
    code = z3.If(z3.ULT(largest, 2), z3.BitVecVal(0, 8), largest - 2)
    return z3.ZeroExt(WIDTH - 8, code) + UNIT - 127


def in_group(magnitude: z3.BitVecRef, largest: z3.BitVecRef) -> z3.BoolRef:
    """Return whether a magnitude is below 2^(floor(log2 amax) + 1) of its finite group."""
    end = z3.BitVecVal(1, WIDTH) << z3.ZeroExt(WIDTH - 8, largest) + UNIT - 126
    return z3.And(z3.ULT(magnitude, end), largest != 255)
