from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Module, Signal, Value, signed

from .skew import delayed

#: Delay of an adder, in the units of :class:`hdl.bit_heap.BitHeap`.
_ADDER_DELAY = 6


@dataclass
class _Operand:
    """A signed number that starts at a position."""

    delay: int
    position: int
    value: Value


class CarryChains:
    """Operands of any position, added two by two with carry chains; those there first go first.

    As :class:`hdl.bit_heap.BitHeap`, for FPGAs. A single bit is the carry in of an adder that
    starts at its position, if there is one.

    Parameters
    ----------
    m : Module
        Where the adders go.
    width : int
        Sums are modulo 2**width.
    latency : int
        Cycles that every operand is delayed before it is added.
    """

    def __init__(self, m: Module, width: int, *, latency: int = 0):
        self._m = m
        self._latency = latency
        self._width = width
        self._operands: list[_Operand] = []
        self._carries: list[tuple[int, Value]] = []
        self._constant = 0
        self._adders = 0

    def add(self, value: Value, position: int = 0, *, delay: int = 0) -> None:
        """Add ``value * 2**position``; ``delay`` is how much later than others it is there."""
        value = Value.cast(value)
        value = delayed(self._m, value, self._latency, "operand", reset_less=True)
        if len(value) == 1 and not value.shape().signed:
            self._carries.append((position, value))
        else:
            value = value if value.shape().signed else Cat(value, Const(0, 1)).as_signed()
            self._operands.append(_Operand(delay, position, value))

    def add_constant(self, value: int) -> None:
        """Add an integer."""
        self._constant += value

    def rows(self) -> tuple[Value, Value]:
        """Return two unsigned rows, ``width`` bits each, that add up to the sum."""
        self._settle_constant()
        self._reduce(2)
        return tuple(self._row(operand) for operand in self._operands)

    def total(self) -> Value:
        """Return the sum, unsigned, ``width`` bits."""
        self._settle_constant()
        self._reduce(1)
        return self._row(self._operands[0])

    def _settle_constant(self) -> None:
        constant, self._constant = self._constant % (1 << self._width), 0
        if constant:
            self._operands.append(_Operand(0, 0, Const(constant, self._width + 1).as_signed()))

    def _absorb_carries(self) -> None:
        """Let operands that start above a carry start with it."""
        left = []
        for position, bit in self._carries:
            higher = [operand for operand in self._operands if operand.position > position]
            if higher:
                zeros = Const(0, higher[0].position - position - 1)
                higher[0].value = Cat(bit, zeros, higher[0].value).as_signed()
                higher[0].position = position
            else:
                left.append((position, bit))
        self._carries = left

    def _reduce(self, count: int) -> None:
        self._absorb_carries()
        while len(self._operands) > count or self._carries:
            if len(self._operands) <= count:
                # No adder that starts there had room for it.
                position, bit = self._carries.pop()
                self._operands.append(_Operand(0, position, Cat(bit, Const(0, 1)).as_signed()))
            self._operands.sort(key=lambda operand: operand.delay)
            first, second, *rest = self._operands
            self._operands = [*rest, self._sum(first, second)]
        missing = count - len(self._operands)
        self._operands += [_Operand(0, 0, Const(0, signed(1)))] * missing

    def _sum(self, a: _Operand, b: _Operand) -> _Operand:
        a, b = sorted((a, b), key=lambda operand: operand.position)
        # Below the start of the other, bits of the one that starts lower are the sum's.
        lower = b.position - a.position
        value = Cat(a.value, a.value[-1].replicate(max(0, lower + 1 - len(a.value))))
        low, high = value[:lower], value[lower:]
        carry = Const(0, 1)
        for index, (position, bit) in enumerate(self._carries):
            if position == b.position:
                carry = bit
                del self._carries[index]
                break
        width = min(max(len(high), len(b.value)) + 1, self._width - b.position)
        # The carry in comes from a bit below, so that there is one addition of two operands.
        total = Signal(signed(width + 1), name=f"sum_{self._adders}")
        self._adders += 1
        left, right = Cat(carry, high).as_signed(), Cat(carry, b.value).as_signed()
        self._m.d.comb += total.eq(left + right)
        delay = max(a.delay, b.delay) + _ADDER_DELAY
        return _Operand(delay, a.position, Cat(low, total[1:]).as_signed())

    def _row(self, operand: _Operand) -> Value:
        row = Signal(signed(self._width), name=f"row_{self._adders}")
        self._adders += 1
        self._m.d.comb += row.eq(Cat(Const(0, operand.position), operand.value).as_signed())
        return row.as_unsigned()
