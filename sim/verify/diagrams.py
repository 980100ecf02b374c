"""Sums of many numbers by binary decision diagrams, which stay small where SAT does not.

With the bits in order of weight, what a diagram has to remember from one weight to the next is a
few carries, however the adders are arranged.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import z3
from dd import cudd

__all__ = ["Operand", "Sums"]


@dataclass(frozen=True)
class Operand:
    """A number of a sum: its width, whether it is signed, and the weight 2**position."""

    width: int
    signed: bool
    position: int


class Sums:
    """Decides whether z3 terms are sums of numbers whose bits are all free.

    Parameters
    ----------
    operands : list of Operand
    """

    def __init__(self, operands: Sequence[Operand]):
        self._operands = operands
        self._diagrams = cudd.BDD()
        self._diagrams.configure(reordering=False)
        order = sorted(
            (operand.position + index, number, index)
            for number, operand in enumerate(operands)
            for index in range(operand.width)
        )
        for _, number, index in order:
            self._diagrams.declare(f"x{number}_{index}")
        self._known: dict[int, tuple] = {}

    def terms(self) -> list[z3.BitVecRef]:
        """Return the operands as terms."""
        one, zero = z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)
        terms = []
        for number, operand in enumerate(self._operands):
            bits = [
                z3.If(z3.Bool(f"x{number}_{index}"), one, zero)
                for index in reversed(range(operand.width))
            ]
            terms.append(z3.Concat(*bits) if len(bits) > 1 else bits[0])
        return terms

    def equal(self, addends: Sequence[z3.BitVecRef], constant: int) -> bool:
        """Whether addends of equal width add up to the operands and a constant."""
        width = addends[0].size()
        got = self._number(0, width)
        for addend in addends:
            got = self._add(got, self._bits(addend))
        want = self._number(constant, width)
        for number, operand in enumerate(self._operands):
            bits = [self._diagrams.false] * operand.position
            bits += [self._diagrams.var(f"x{number}_{i}") for i in range(operand.width)]
            sign = bits[-1] if operand.signed else self._diagrams.false
            want = self._add(want, (bits + [sign] * width)[:width])
        return got == want

    def _number(self, value: int, width: int) -> list:
        false, true = self._diagrams.false, self._diagrams.true
        return [true if value >> index & 1 else false for index in range(width)]

    def _add(self, left: list, right: list) -> list:
        total, carry = [], self._diagrams.false
        for a, b in zip(left, right, strict=True):
            differ = self._diagrams.apply("xor", a, b)
            total.append(self._diagrams.apply("xor", differ, carry))
            carry = (a & b) | (differ & carry)
        return total

    def _bits(self, term: z3.BitVecRef) -> list:
        blast = z3.Then("simplify", "bit-blast")
        bits = []
        for index in range(term.size()):
            goal = z3.Goal()
            goal.add(z3.Extract(index, index, term) == 1)
            bits.append(self._diagram(blast(goal)[0].as_expr()))
        return bits

    def _diagram(self, formula: z3.BoolRef):
        """Return the diagram of a Boolean formula, without recursion: formulas are deep."""
        stack = [formula]
        while stack:
            term = stack[-1]
            missing = [part for part in term.children() if part.get_id() not in self._known]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if term.get_id() not in self._known:
                parts = [self._known[part.get_id()][0] for part in term.children()]
                # The term is kept: z3 gives the number of a dead one away again.
                self._known[term.get_id()] = (self._gate(term, parts), term)
        return self._known[formula.get_id()][0]

    def _gate(self, term: z3.BoolRef, parts: list):
        diagrams = self._diagrams
        match term.decl().kind():
            case z3.Z3_OP_TRUE:
                return diagrams.true
            case z3.Z3_OP_FALSE:
                return diagrams.false
            case z3.Z3_OP_UNINTERPRETED:
                return diagrams.var(term.decl().name())
            case z3.Z3_OP_NOT:
                return ~parts[0]
            case z3.Z3_OP_AND:
                result = diagrams.true
                for part in parts:
                    result &= part
                return result
            case z3.Z3_OP_OR:
                result = diagrams.false
                for part in parts:
                    result |= part
                return result
            case z3.Z3_OP_XOR:
                return diagrams.apply("xor", *parts)
            case z3.Z3_OP_EQ:
                return ~diagrams.apply("xor", *parts)
            case z3.Z3_OP_ITE:
                return diagrams.ite(*parts)
        raise ValueError(f"Formula has an operator without a diagram: {term.decl()}")
