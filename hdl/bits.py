from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value


def leading_zeros(value: Value) -> Value:
    """Return the number of zeros above the highest set bit of ``value``.

    A balanced tree over the width rounded up to a power of two. The count of a zero value is
    the rounded-up width minus one or more, whatever is cheapest; callers treat zero apart.
    """
    size = 1 << (len(value) - 1).bit_length()
    # Ones below the value end the count of a zero value and cost nothing.
    padded = Cat(Const(-1, size - len(value)), value) if size > len(value) else value
    return _leading_zeros(padded)


def _leading_zeros(value: Value) -> Value:
    if len(value) == 2:
        return ~value[1]
    half = len(value) // 2
    low, high = value[:half], value[half:]
    empty = ~high.any()
    return Cat(Mux(empty, _leading_zeros(low), _leading_zeros(high)), empty)


def named(m: Module, name: str, value: Value) -> Signal:
    """Give a value that is used several times a signal of its own.

    Amaranth writes an expression out again wherever it is used.
    """
    signal = Signal.like(value, name=name)
    m.d.comb += signal.eq(value)
    return signal


def prefix_and(m: Module, value: Value) -> Value:
    """Return for every bit whether it and all bits below it are set, by a tree."""
    ones = list(value)
    distance = 1
    while distance < len(ones):
        for index in range(len(ones)):
            if index & distance:
                last = index // distance * distance - 1
                ones[index] = named(m, f"ones_{distance}_{index}", ones[index] & ones[last])
        distance *= 2
    return Cat(ones)


def increment(m: Module, value: Value, carry: Value) -> Value:
    """Return ``value + carry`` modulo ``2**len(value)``, quickly when the carry is late.

    Where a carry would go is found before the carry is known.
    """
    ones = Cat(1, prefix_and(m, value))[: len(value)]
    return value ^ (ones & carry.replicate(len(value)))


def shift_right_sticky(m: Module, value: Value, amount: Value, far: Value) -> tuple[Value, Value]:
    """Shift ``value`` right logically; return it with the OR of the bits shifted out.

    ``far`` may be late: it shifts everything out, whatever the amount.

    Returns
    -------
    shifted : unsigned(len(value))
    sticky : unsigned(1)
    """
    sticky = Const(0, 1)
    *levels, last = range(len(amount))
    for level in levels:
        sticky = sticky | (amount[level] & value[: 1 << level].any())
        value = named(m, f"shifted_{level}", Mux(amount[level], value >> (1 << level), value))
    moved = amount[last] | far
    sticky = sticky | (moved & value[: 1 << last].any()) | (far & value[1 << last :].any())
    high = (value >> (1 << last)) & (amount[last] & ~far).replicate(len(value))
    return (value & (~moved).replicate(len(value))) | high, named(m, "sticky", sticky)


def shift_left(m: Module, value: Value, amount: Value, fill: Value) -> Value:
    """Shift ``value`` left within its width; copies of the bit ``fill`` come in from below."""
    for level in reversed(range(len(amount))):
        distance = 1 << level
        shifted = Cat(fill.replicate(distance), value)[: len(value)]
        value = named(m, f"shifted_{level}", Mux(amount[level], shifted, value))
    return value
