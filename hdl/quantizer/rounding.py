from amaranth.hdl import Cat, Module, Value, unsigned
from amaranth.lib import data

from ..bits import named
from .unpack import ROUNDABLE


def aligned_layout(significand_bits: int) -> data.StructLayout:
    """Return the layout of a value relative to the largest of its group.

    |x| / 2^E is the significand times 2^(2 - distance).

    Members
    -------
    significand : unsigned(significand_bits)
        As in `lane_layout`. The integer bit is 1 where the distance is 0 or 1.
    distance : unsigned(3)
        Exponents below the group's largest; 7 stands for 7 or more, a value that rounds to zero.
    sign : unsigned(1)
    """
    return data.StructLayout(
        {"significand": significand_bits, "distance": unsigned(3), "sign": unsigned(1)}
    )


#: A value as rounding to E2M1 and E2M3 needs it.
Aligned = aligned_layout(ROUNDABLE)


def e2m1_code(m: Module, value: data.View, name: str) -> Value:
    """Return RNE(|x| / 2^E, E2M1), saturated: the 3-bit magnitude code of an `Aligned` value.

    Down to a distance of 2 one fraction bit is kept; one place further down, none; then a
    magnitude above 1/4 is nearest 1/2. Each row below is one distance.
    """
    integer, m2, m1 = (value.significand[i] for i in (5, 4, 3))
    rest = named(m, f"{name}_rest", sticky(value.significand, 3))
    up = named(m, f"{name}_up", round_up(m2, m1, rest))
    low, carry = m2 ^ up, m2 & up
    up_whole = named(m, f"{name}_up_whole", round_up(integer, m2, m1 | rest))
    up_half = integer & (m2 | m1 | rest)
    rows = [
        Cat(m2 | up, 1, 1),
        Cat(low, carry, 1),
        Cat(low, carry ^ integer, carry & integer),
        Cat(integer ^ up_whole, integer & up_whole),
        Cat(up_half),
    ]
    return named(m, name, choose(value.distance, rows, 3))


def e2m3_step(m: Module, value: data.View, odd: Value, name: str) -> Value:
    """Return clamp(c6 + 1 - 4 * c4, 0, 3) of an `Aligned` value: the top-1's metadata.

    c6 - 4 * c4 lies between -2 and 4, so c6 is needed modulo 8 only, and of c4 its low bit.

    Parameters
    ----------
    odd
        Low bit of c4 = RNE(|x| / 2^E, E2M1).
    """
    bits = [value.significand[i] for i in reversed(range(1, 6))]
    rows = []
    for shift in range(5):
        # Three code bits and the guard bit; the integer bit of the first row is not needed.
        kept = ([0] * shift + bits)[1:5]
        rows.append(Cat(sticky(value.significand, shift + 1), *reversed(kept)))
    picked = named(m, f"{name}_picked", choose(value.distance, [rows[0]] * 2 + rows, 5))
    low = named(m, f"{name}_low", picked[2:5] + round_up(picked[2], picked[1], picked[0]))
    return clamp(named(m, f"{name}_difference", low[:3] ^ Cat(0, 0, odd)))


def clamp(difference: Value) -> Value:
    """Return clamp(d + 1, 0, 3) of a difference d = -2 .. 4 modulo 8."""
    more = (difference == 2) | (difference == 3) | (difference == 4)
    return Cat((difference == 0) | more, (difference == 1) | more)


def round_up(last: Value, guard: Value, rest: Value) -> Value:
    """Return whether round-to-nearest-even goes up from a kept bit, a guard bit and the rest."""
    return guard & (last | rest)


def sticky(significand: Value, count: int) -> Value:
    """Return whether any of the low ``count`` bits of a significand is set."""
    return significand[:count].any()


def choose(distance: Value, rows: list[Value], width: int) -> Value:
    """Return the row of a distance; distances without a row give zero."""
    chosen = 0
    for index, row in enumerate(rows):
        chosen |= Cat(row & (distance == index).replicate(len(row)))
    return chosen[:width]
