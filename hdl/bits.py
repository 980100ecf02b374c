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


def increment(m: Module, value: Value, carry: Value) -> Value:
    """Return ``value + carry`` modulo ``2**len(value)``, quickly when the carry is late.

    Where a carry would go is found by a tree before the carry is known.
    """
    ones = list(value)
    distance = 1
    while distance < len(ones):
        for index in range(len(ones)):
            if index & distance:
                last = index // distance * distance - 1
                ones[index] = named(m, f"ones_{distance}_{index}", ones[index] & ones[last])
        distance *= 2
    return value ^ (Cat(1, ones[:-1]) & carry.replicate(len(value)))


def shift_right_sticky(m: Module, value: Value, amount: Value) -> tuple[Value, Value]:
    """Shift ``value`` right logically; return it with the OR of the bits shifted out.

    Returns
    -------
    shifted : unsigned(len(value))
    sticky : unsigned(1)
    """
    sticky = Const(0, 1)
    for level in range(len(amount)):
        distance = min(1 << level, len(value))
        sticky = sticky | (amount[level] & value[:distance].any())
        shifted = Mux(amount[level], value >> distance, value)[: len(value)]
        value = named(m, f"shifted_{level}", shifted)
    return value, named(m, "sticky", sticky)


def shift_left(m: Module, value: Value, amount: Value, fill: Value) -> Value:
    """Shift ``value`` left within its width; copies of the bit ``fill`` come in from below."""
    for level in reversed(range(len(amount))):
        distance = 1 << level
        shifted = Cat(fill.replicate(distance), value)[: len(value)]
        value = named(m, f"shifted_{level}", Mux(amount[level], shifted, value))
    return value
