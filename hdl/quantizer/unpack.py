from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Value, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..bits import leading_zeros, named


@dataclass(frozen=True)
class FloatType:
    """An IEEE-like input type: sign, biased exponent, fraction.

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


#: Input types by name.
FLOAT_TYPES = {"fp32": FloatType(8, 23), "bf16": FloatType(8, 7), "fp16": FloatType(5, 10)}


class Lane(data.Struct):
    """What quantization needs of one value.

    The magnitude is ``significand / 32 * 2**(exponent - 127)`` if the sticky bit counts as
    "a little more". Rounding to E2M1 or E2M3 needs no more fraction bits.

    Members
    -------
    significand : unsigned(6)
        From the top: integer bit, three fraction bits of E2M3, guard bit, sticky bit.
    exponent : unsigned(8)
        FP32's bias. 0 with an integer bit of 0 for an FP32 or BF16 value below 2**-127 and for
        zero; 255 for NaN and infinity. The integer bit is 1 otherwise.
    sign : unsigned(1)
    """

    significand: unsigned(6)
    exponent: unsigned(8)
    sign: unsigned(1)


class Unpack(wiring.Component):
    """Reduces one floating-point value to a :class:`Lane`. Combinational.

    A subnormal FP32 or BF16 value keeps exponent 0 and is doubled instead, so that exponent e
    stands for 2**(e - 127) throughout; scales end there, so it never needs to be normalised.
    FP16 subnormals lie far inside the range of scales and are normalised.

    Parameters
    ----------
    dtype : str
        A key of `FLOAT_TYPES`.

    Attributes
    ----------
    value : In(FLOAT_TYPES[dtype].width)
    lane : Out(Lane)
    """

    def __init__(self, dtype: str):
        self._type = FLOAT_TYPES[dtype]
        super().__init__({"value": In(self._type.width), "lane": Out(Lane)})

    def elaborate(self, platform):
        m = Module()
        fraction_bits = self._type.fraction_bits
        fraction, exponent = self.value[:fraction_bits], self.value[fraction_bits:-1]
        if self._type.exponent_bits == 8:
            significand = double_subnormal(m, fraction, exponent)
        else:
            significand, exponent = normalise(m, fraction, exponent)
        m.d.comb += [
            self.lane.significand.eq(significand),
            self.lane.exponent.eq(exponent),
            self.lane.sign.eq(self.value[-1]),
        ]
        return m


def double_subnormal(m: Module, fraction: Value, exponent: Value) -> Value:
    """Return the 6-bit significand of a value; that of a subnormal one is doubled."""
    subnormal = named(m, "subnormal", exponent == 0)
    dropped = len(fraction) - 4
    sticky = fraction[: dropped - 1].any() | (fraction[dropped - 1] & ~subnormal)
    kept = Mux(subnormal, fraction[dropped - 1 : -1], fraction[dropped:])
    return Cat(sticky, kept, ~subnormal | fraction[-1])


def normalise(m: Module, fraction: Value, exponent: Value) -> tuple[Value, Value]:
    """Return the 6-bit significand and the exponent in FP32's bias of an FP16 value."""
    subnormal = named(m, "subnormal", exponent == 0)
    zeros = named(m, "zeros", leading_zeros(fraction))
    shifted = named(m, "shifted", (fraction << zeros)[: len(fraction)])
    leading = shifted[-1]
    normal = Mux(subnormal, shifted << 1, fraction)[: len(fraction)]
    normal = named(m, "normal", normal)
    dropped = len(fraction) - 4
    significand = Cat(normal[:dropped].any(), normal[dropped:], ~subnormal | leading)
    rebased = Mux(exponent.all(), 255, exponent + 112)
    return significand, Mux(subnormal, Mux(leading, 112 - zeros, 0), rebased)[:8]
