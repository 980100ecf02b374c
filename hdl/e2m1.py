from amaranth.hdl import Array, Cat, Const, Value, unsigned
from amaranth.lib import data

#: Magnitude of every E2M1 magnitude code in units of 1/2 (format spec, section 1). The one
#: gateware copy of the table.
HALVES = (0, 1, 2, 3, 4, 6, 8, 12)


class E2M1(data.Struct):
    """An FP4 element: sign and a 3-bit magnitude code that is monotonic in value.

    Members
    -------
    code : unsigned(3)
        Magnitude code, exponent above mantissa.
    sign : unsigned(1)
        1 for negative; a negative zero is zero.
    """

    code: unsigned(3)
    sign: unsigned(1)


def halves(code: Value) -> Value:
    """Return the 4-bit magnitude of a 3-bit E2M1 magnitude code, in units of 1/2."""
    return Array(Const(value, 4) for value in HALVES)[code]


def product(left: Value, right: Value) -> Value:
    """Return the 8-bit product of the magnitudes of two E2M1 codes, in units of 1/4.

    The product is a table over both codes rather than a multiplier over both magnitudes:
    logic synthesis cannot know that only 8 of the 16 four-bit magnitudes occur.
    """
    return Array(Const(a * b, 8) for a in HALVES for b in HALVES)[Cat(right, left)]
