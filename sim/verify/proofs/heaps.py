"""Heaps add up to their operands, whatever these are; and operands as integers."""

import z3
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from ..checker import Checker
from ..cuts import Heap
from ..diagrams import Operand, Sums
from ..model import Model

#: Bits of the terms that integers are compared in: more than any of them needs.
BITS = 24


class _Adders(wiring.Component):
    """A heap of free operands."""

    def __init__(self, heap: Heap):
        self._heap = heap
        super().__init__(
            {
                **{f"operand_{i}": In(o.width) for i, o in enumerate(heap.operands)},
                **{f"row_{i}": Out(heap.width) for i in range(1 if heap.added_up else 2)},
            }
        )

    def elaborate(self, platform):
        """Add the operands in the order in which the component added its own."""
        m = Module()
        latency = {"latency": self._heap.latency} if self._heap.latency else {}
        heap = self._heap.kind(m, self._heap.width, **latency)
        for index, (operand, options) in enumerate(
            zip(self._heap.operands, self._heap.options, strict=True)
        ):
            value = getattr(self, f"operand_{index}")
            heap.add(value.as_signed() if operand.signed else value, operand.position, **options)
        heap.add_constant(self._heap.constant)
        rows = [heap.total()] if self._heap.added_up else heap.rows()
        for index, value in enumerate(rows):
            m.d.comb += getattr(self, f"row_{index}").eq(value)
        return m


def heap_sum(check: Checker, heap: Heap, *, whole: bool = False) -> None:
    """Check that what a heap gives adds up to its operands, modulo its range.

    Parameters
    ----------
    whole : bool
        Check that there is no multiple of the range between them either.
    """
    sums = Sums(heap.operands)
    model = Model(_Adders(heap))
    operands = {f"operand_{index}": {0: term} for index, term in enumerate(sums.terms())}
    state = model.pipeline(operands, heap.latency)
    rows = [model.value(state, name) for name in model.outputs]
    if whole:
        rows = [z3.ZeroExt(1, row) for row in rows]
    what = "sum of the heap's operands"
    check.holds(what, sums.equal(rows, heap.constant), heap.kind.__name__)


def integer(value: z3.BitVecRef, operand: Operand) -> z3.BitVecRef:
    """Return what an operand adds to a heap, as a wide integer."""
    extend = z3.SignExt if operand.signed else z3.ZeroExt
    return extend(BITS - operand.width, value) << operand.position


def within(value: z3.BitVecRef, bound: int) -> z3.BoolRef:
    """Return whether a signed value is at most a bound in magnitude."""
    return z3.And(value <= bound, value >= -bound)
