from amaranth.hdl import Cat, Const, Module, Value

from .bits import named

#: Delays of a full adder, in units that only matter relative to each other.
_SUM_DELAY = 3
_CARRY_DELAY = 2


class BitHeap:
    """Bits of any weight, added with full adders until two rows are left.

    Adding many operands one after the other would carry once for each; a heap carries once, in
    whatever adds the two rows. In each column the bits that are there first are added first.

    Parameters
    ----------
    m : Module
        Where the adders go.
    width : int
        Sums are modulo 2**width.
    """

    def __init__(self, m: Module, width: int):
        self._m = m
        self._columns = [[] for _ in range(width)]
        self._constant = 0
        self._adders = 0

    def add(self, value: Value, position: int = 0, *, delay: int = 0) -> None:
        """Add ``value * 2**position``.

        Parameters
        ----------
        delay : int
            How much later than other bits these are there; a full adder has 3.
        """
        bits = list(value)
        if value.shape().signed:
            # -s == ~s - 1, so that no bits are needed to extend the sign.
            bits[-1] = ~bits[-1]
            self.add_constant(-1 << (position + len(bits) - 1))
        for column, bit in zip(self._columns[position:], bits, strict=False):
            column.append((delay, bit))

    def add_constant(self, value: int) -> None:
        """Add an integer. Constants are merged before they cost anything."""
        self._constant += value

    def rows(self) -> tuple[Value, Value]:
        """Return two unsigned rows, ``width`` bits each, that add up to the sum."""
        carries = []
        for column in self._columns:
            column += carries
            carries = []
            while len(column) > 2:
                column.sort(key=lambda entry: entry[0])
                (_, a), (delay, b), (last, c), *rest = column
                if rest or last - delay < _CARRY_DELAY:
                    delay, column[:] = last, rest
                else:
                    # A late third bit, the carry from the column below, stays for the row.
                    column[:] = [(last, c)]
                    c = Const(0, 1)
                total, carry = self._full_adder(a, b, c)
                column.append((delay + _SUM_DELAY, total))
                carries.append((delay + _CARRY_DELAY, carry))
        zero = Const(0, 1)
        rows = [([bit for _, bit in column] + [zero] * 2)[:2] for column in self._columns]
        # The constant comes last and enters all columns at once: among the first bits it would
        # carry from column to column where there is nothing else to add.
        constant = self._constant % (1 << len(rows))
        carry = zero
        for weight, (a, b) in enumerate(rows):
            if constant % (2 << weight):
                total, next_carry = self._full_adder(a, b, Const(constant >> weight & 1, 1))
                rows[weight], carry = [total, carry], next_carry
        return Cat(row[0] for row in rows), Cat(row[1] for row in rows)

    def total(self) -> Value:
        """Return the sum, unsigned, ``width`` bits."""
        left, right = self.rows()
        return (left + right)[: len(self._columns)]

    def _full_adder(self, a: Value, b: Value, c: Value) -> tuple[Value, Value]:
        index, self._adders = self._adders, self._adders + 1
        return (
            named(self._m, f"sum_{index}", a ^ b ^ c),
            named(self._m, f"carry_{index}", (a & b) | (c & (a | b))),
        )
