from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Mux, Value, unsigned
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


#: Bits of a significand that is just enough to round to E2M1 or E2M3. From the top: integer bit,
#: three fraction bits of E2M3, guard bit, sticky bit.
ROUNDABLE = 6


def lane_layout(significand_bits: int) -> data.StructLayout:
    """Return the layout of a value that was taken apart.

    Members
    -------
    significand : unsigned(significand_bits)
        Integer bit and fraction; the magnitude is this times 2**(exponent - 127). With
        `ROUNDABLE` bits the lowest one is sticky, otherwise the significand is exact.
    exponent : unsigned(8)
        FP32's bias. 0 with an integer bit of 0 for an FP32 or BF16 value below 2**-127 and for
        zero; 255 for NaN and infinity. The integer bit is 1 otherwise.
    sign : unsigned(1)
    """
    return data.StructLayout(
        {"significand": significand_bits, "exponent": unsigned(8), "sign": unsigned(1)}
    )


class Unpack(wiring.Component):
    """Takes one floating-point value apart. Combinational.

    A subnormal FP32 or BF16 value keeps exponent 0 and is doubled instead, so that exponent e
    stands for 2**(e - 127) throughout; scales end there, so it never needs to be normalised.
    FP16 subnormals lie far inside the range of scales and are normalised.

    Parameters
    ----------
    dtype : str
        A key of `FLOAT_TYPES`.
    exact : bool
        Whether to keep all bits of the significand rather than `ROUNDABLE` ones.

    Attributes
    ----------
    value : In(FLOAT_TYPES[dtype].width)
    lane : Out(lane_layout(...))
    """

    def __init__(self, dtype: str, *, exact: bool = False):
        self._type = FLOAT_TYPES[dtype]
        self._exact = exact
        layout = lane_layout(self._type.fraction_bits + 1 if exact else ROUNDABLE)
        super().__init__({"value": In(self._type.width), "lane": Out(layout)})

    def elaborate(self, platform):
        m = Module()
        fraction_bits = self._type.fraction_bits
        fraction, exponent = self.value[:fraction_bits], self.value[fraction_bits:-1]
        if self._type.exponent_bits == 8:
            double = double_exact if self._exact else double_subnormal
            significand = double(m, fraction, exponent)
        else:
            significand, exponent = normalise(m, fraction, exponent)
            if not self._exact:
                significand = Cat(significand[:-5].any(), significand[-5:])
        m.d.comb += [
            self.lane.significand.eq(significand),
            self.lane.exponent.eq(exponent),
            self.lane.sign.eq(self.value[-1]),
        ]
        return m


def double_exact(m: Module, fraction: Value, exponent: Value) -> Value:
    """Return the significand of a value; that of a subnormal one is doubled."""
    return Mux(exponent == 0, Cat(Const(0, 1), fraction), Cat(fraction, Const(1, 1)))


def double_subnormal(m: Module, fraction: Value, exponent: Value) -> Value:
    """Return the top of `double_exact` with a sticky bit.

    All bits below the guard bit are sticky but one, so they need not be doubled.
    """
    subnormal = named(m, "subnormal", exponent == 0)
    dropped = len(fraction) - 4
    sticky = fraction[: dropped - 1].any() | (fraction[dropped - 1] & ~subnormal)
    kept = Mux(subnormal, fraction[dropped - 1 : -1], fraction[dropped:])
    return Cat(sticky, kept, ~subnormal | fraction[-1])


def normalise(m: Module, fraction: Value, exponent: Value) -> tuple[Value, Value]:
    """Return the significand and the exponent in FP32's bias of an FP16 value."""
    subnormal = named(m, "subnormal", exponent == 0)
    zeros = named(m, "zeros", leading_zeros(fraction))
    shifted = named(m, "shifted", (fraction << zeros)[: len(fraction)])
    leading = shifted[-1]
    normal = Mux(subnormal, shifted << 1, fraction)[: len(fraction)]
    significand = named(m, "normal", Cat(normal, ~subnormal | leading))
    rebased = Mux(exponent.all(), 255, exponent + 112)
    return significand, Mux(subnormal, Mux(leading, 112 - zeros, 0), rebased)[:8]
