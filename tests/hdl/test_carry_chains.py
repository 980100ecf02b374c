import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.bit_heap import BitHeap
from hdl.carry_chains import CarryChains
from sim import engines

from .operands import field, pack

WIDTH = 20

#: (width, signed, position) of every operand: products and their carries in, an operand that starts
#: below the others, a lone bit that no other starts at, one that lies below all of another.
OPERANDS = [(9, True, 2)] * 5 + [(1, False, 2)] * 6 + [(8, True, 0), (1, False, 1)]
OPERANDS += [(2, True, 0), (5, True, 9), (7, False, 3)]


class Sum(wiring.Component):
    """Operands side by side on one port; their sum as one number and as two rows."""

    def __init__(self, heap, constant):
        self._heap, self._constant = heap, constant
        width = sum(width for width, _, _ in OPERANDS)
        super().__init__({"operands": In(width), "total": Out(WIDTH), "rows": Out(2 * WIDTH)})

    def elaborate(self, platform):
        m = Module()
        heaps = [self._heap(m, WIDTH), self._heap(m, WIDTH)]
        start = 0
        for width, is_signed, position in OPERANDS:
            value = self.operands[start : start + width]
            start += width
            for heap in heaps:
                heap.add(value.as_signed() if is_signed else value, position)
        for heap in heaps:
            heap.add_constant(self._constant)
        left, right = heaps[1].rows()
        m.d.comb += [
            self.total.eq(heaps[0].total()),
            self.rows[:WIDTH].eq(left),
            self.rows[WIDTH:].eq(right),
        ]
        return m


@pytest.mark.parametrize("heap", [BitHeap, CarryChains])
@pytest.mark.parametrize("constant", [0, 1 << (WIDTH - 1), -5])
def test_sum_and_rows(heap, constant):
    """Against NumPy's integers, with every operand at its extremes among others."""
    rng = np.random.default_rng(8)
    values, expected = [], constant
    for width, is_signed, position in OPERANDS:
        low, high = (-1 << (width - 1), 1 << (width - 1)) if is_signed else (0, 1 << width)
        drawn = rng.integers(low, high, 400)
        drawn[:100] = rng.choice([low, high - 1], 100)
        values.append((drawn, width))
        expected = expected + drawn * (1 << position)
    run = engines.get("amaranth").run_pipeline
    got = run(Sum(heap, constant), {"operands": pack(values)}, ["total", "rows"], 0)
    rows = field(got["rows"], 0, WIDTH) + field(got["rows"], WIDTH, WIDTH)
    np.testing.assert_array_equal(field(got["total"], 0, WIDTH), expected % (1 << WIDTH))
    np.testing.assert_array_equal(rows % (1 << WIDTH), expected % (1 << WIDTH))
