from amaranth.hdl import Cat, Const, Module, Signal, Value, unsigned
from amaranth.lib import data

from .bits import named
from .carry_chains import CarryChains

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


def significand(code: Value) -> Value:
    """Return the 2-bit significand of a magnitude code, hidden bit included."""
    return Cat(code[0], code[2] | code[1])


def shifts(code: Value) -> list[Value]:
    """Return the one-hot of the shift 0..2 that makes the significand the value in halves."""
    return [~code[2], code[2] & ~code[1], code[2] & code[1]]


def add_product(m: Module, heap, left: E2M1, right: E2M1, position: int = 0) -> None:
    """Add the product of two elements, in units of a quarter, to a sum.

    Parameters
    ----------
    heap : BitHeap or CarryChains
    position : int
        Of one quarter in the sum.
    """
    if isinstance(heap, CarryChains):
        # A carry in costs an adder of a chain nothing: inversion is enough.
        negative = named(m, "negative", left.sign ^ right.sign)
        inverted = magnitude(m, left.code, right.code) ^ negative.replicate(8)
        heap.add(named(m, "inverted", Cat(inverted, negative).as_signed()), position)
        heap.add(negative, position)
    else:
        heap.add(product(m, left, right), position)


def magnitude(m: Module, left: Value, right: Value) -> Value:
    """Return the product of two magnitude codes in units of 1/4, looked up: 8 bits.

    Six inputs a bit: for LUTs a table is smaller than a multiplication and a shift.
    """
    result = Signal(8, name="magnitude")
    with m.Switch(Cat(left, right)):
        for code in range(64):
            with m.Case(code):
                m.d.comb += result.eq(HALVES[code % 8] * HALVES[code // 8])
    return result


def product(m: Module, left: E2M1, right: E2M1) -> Value:
    """Return the product of two elements in units of 1/4.

    The significands' product, at most 9, is negated before it is shifted; a shift and a
    multiplication of 4-bit magnitudes would be twice as large.

    Returns
    -------
    signed(9)
    """
    negative = left.sign ^ right.sign
    magnitude = times(m, significand(left.code), significand(right.code))
    small = negated(m, magnitude, negative)
    return shift_left(m, small, combined_shifts(m, shifts(left.code), shifts(right.code)))


def times(m: Module, left: Value, right: Value) -> Value:
    """Multiply two 2-bit numbers."""
    low, high = left[0] & right[0], left[1] & right[1]
    bits = low, (left[0] & right[1]) ^ (left[1] & right[0]), high & ~low, high & low
    return named(m, "magnitude", Cat(bits))


def combined_shifts(m: Module, left: list[Value], right: list[Value]) -> Value:
    """Return the one-hot of the sum of two shifts, both one-hot."""
    total = [Const(0, 1)] * (len(left) + len(right) - 1)
    for i, one in enumerate(left):
        for j, other in enumerate(right):
            total[i + j] |= one & other
    return named(m, "shift", Cat(total))


def negated(m: Module, magnitude: Value, negative: Value) -> Value:
    """Return a magnitude as a two's complement number, negated if asked.

    A bit is inverted if any bit below it is set: no carry, and a negative zero is zero.
    """
    bits = [bit ^ (negative & magnitude[:i].any()) for i, bit in enumerate(magnitude)]
    return named(m, "small", Cat(bits, negative & magnitude.any()).as_signed())


def shift_left(m: Module, value: Value, shift: Value) -> Value:
    """Shift a signed value left by a one-hot distance."""
    width = len(value) + len(shift) - 1
    bits = []
    for position in range(width - 1):
        # Above its sign, a value is its sign.
        picked = [
            enable & value[min(position - distance, len(value) - 1)]
            for distance, enable in enumerate(shift)
            if position >= distance
        ]
        bits.append(Cat(picked).any())
    return named(m, "product", Cat(bits, value[-1]).as_signed())
