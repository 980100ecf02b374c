"""A group dot product around its subgroups and heaps, and the group sum of M2XFP."""

from functools import partial

import z3
from amaranth.hdl import Fragment, Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from hdl import dot, formats
from hdl.dot import GroupDot, SubgroupDot
from hdl.fabric import Fabric
from hdl.formats import Format

from ..checker import Checker
from ..cuts import HeapCut, Stub, connect_ports, replaced
from ..model import Model
from ..terms import bit, field
from .dot import LARGEST_SUM
from .heaps import BITS, heap_sum, integer, within
from .proof import COMPOSED, Proof

SIDES = ("activation", "weight")
#: Largest group sum in units of 1/64, with the multiplier 7/4.
LARGEST_GROUP = 4 * 7 * LARGEST_SUM


class Group(wiring.Component):
    """A group dot product around its subgroups, whose rows are inputs."""

    def __init__(self, format: Format):
        self._format = format
        rows = data.ArrayLayout(format.product_bits, 2)
        members = {f"rows_{index}": In(rows) for index in range(format.subgroups)}
        super().__init__(members | dict(GroupDot(format).signature.members))

    def elaborate(self, platform):
        """Elaborate the group with a stub for each subgroup."""
        m = Module()
        stubs = []

        def make_stub(format):
            stubs.append(Stub(SubgroupDot(format)))
            return stubs[-1]

        unit = GroupDot(self._format)
        with replaced(dot, "SubgroupDot", make_stub):
            m.submodules.unit = Fragment.get(unit, platform)
        for index, stub in enumerate(stubs):
            m.d.comb += stub.rows.eq(getattr(self, f"rows_{index}"))
        connect_ports(m, unit, self)
        return m


class GroupRun:
    """One group on its way through a group dot product, from registers of any content.

    Its elements enter in cycle 0. Subgroups' rows and heaps are free.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    heaps : list of Heap
    rows : list
        Of each subgroup, two rows side by side.
    term
        What comes out.
    """

    def __init__(self, format: Format):
        self._format = format
        cut = HeapCut(lambda: Group(format))
        self.heaps = cut.heaps
        self._model = Model(cut)
        free = {
            name: [z3.BitVec(f"{name}_{cycle}", width) for cycle in range(format.dot_latency + 1)]
            for name, width in self._model.inputs.items()
            if name not in ("clk", "rst")
        }
        inputs = {name: dict(enumerate(values)) for name, values in free.items()}
        self._free = free
        self._states = self._model.run(inputs, format.dot_latency)
        self.rows = [free[f"rows_{i}"][format.fabric.cut] for i in range(format.subgroups)]
        self.term = self._model.value(self._states[-1], "term")

    def part(self, side: str, name: str) -> z3.BitVecRef:
        """Return a part of an operand, which trails the elements by its own delay."""
        place = getattr(self._format, side)[name]
        return field(self._free[side][self._format.delays[name]], place.offset, place.width)

    def added(self, number: int, cycle: int) -> list[z3.BitVecRef]:
        """Return, as integers, what is added in a heap in a cycle."""
        state = self._states[cycle]
        return [
            integer(self._model.value(state, f"heap_{number}_operand_{index}"), operand)
            for index, operand in enumerate(self.heaps[number].operands)
        ]

    def sum(self, number: int, cycle: int) -> z3.BitVecRef:
        """Return what a heap's rows add up to in a cycle."""
        return sum(self._free[f"heap_{number}_row_{index}"][cycle] for index in range(2))

    @property
    def cycle(self) -> int:
        """Cycle in which the terms of the group's sum are added."""
        return self._format.dot_latency - (2 if self._format.multiplies else 1)

    def total(self, index: int) -> z3.BitVecRef:
        """Return the sum of a subgroup: its rows less half of their range, modulo that."""
        width, row = self._format.product_bits, self.rows[index]
        total = field(row, 0, width) + field(row, width, width) - (1 << (width - 1))
        return z3.SignExt(BITS - width, total)

    def fields(self) -> tuple[z3.BitVecRef, z3.BitVecRef, z3.BoolRef]:
        """Return significand and exponent of the term, and whether it is NaN."""
        width, bits = self._format.significand_bits, self._format.exponent_bits
        nan = bit(self.term, width + bits)
        return field(self.term, 0, width), field(self.term, width, bits), nan


def e8m0_scales(check: Checker, run: GroupRun) -> None:
    """Check that exponents of the scales are added, and that 255 is NaN."""
    _, exponent, is_nan = run.fields()
    left, right = (run.part(side, "scale") for side in SIDES)
    nan = z3.Or(left == 255, right == 255)
    total = z3.ZeroExt(1, left) + z3.ZeroExt(1, right)
    check.prove("sum of the scales", exponent == total, z3.Not(nan))
    check.prove("NaN", is_nan == nan)
    check.cover("largest exponent", exponent == 508, z3.Not(nan))


def group_sum(check: Checker, run: GroupRun, largest: int) -> None:
    """Check that the first heap's sum is the significand, and that it does not wrap around."""
    heap, significand = run.heaps[0], run.fields()[0]
    check.holds("width of the group sum", 1 << (heap.width - 1) > largest)
    check.prove("group sum", significand == run.sum(0, run.cycle))
    heap_sum(check, heap)


def group(check: Checker, format: Format) -> None:
    """Check that M2XFP's group sum is that of (4 + k) times each subgroup's, without overflow."""
    run = GroupRun(format)
    (heap,) = run.heaps
    added = run.added(0, run.cycle)
    each = len(added) // format.subgroups
    for index in range(format.subgroups):
        total = run.total(index)
        k = z3.ZeroExt(BITS - 2, field(run.part("weight", "multipliers"), 2 * index, 2))
        scaled = sum(added[index * each : (index + 1) * each])
        reachable = within(total, LARGEST_SUM)
        check.prove(f"(4 + k) times subgroup {index}", scaled == (4 + k) * total, reachable)
        check.prove(f"bound {index}", within(scaled, LARGEST_GROUP // 4), reachable)
        check.cover(f"bound {index}", scaled == -LARGEST_GROUP // 4, reachable)
    check.holds("all are added", len(added) == each * format.subgroups)
    check.holds("offset", heap.constant % (1 << heap.width) == 0, heap.constant)
    group_sum(check, run, LARGEST_GROUP)
    e8m0_scales(check, run)


PROOFS = [
    Proof(
        "group sum",
        "GroupDot",
        "The significand is the sum of (4 + k) times the subgroup sums, |sum| <= 131712 < 2^18; "
        "the exponent is the sum of the scale codes; NaN if either is 255.",
        COMPOSED,
        "subgroup sums within 4704, as proved",
        partial(group, format=formats.get("m2xfp")),
        (
            "group: multiplier bits swapped",
            "group: scale of another cycle",
            "group: multiplier of the previous weights",
        ),
    ),
    Proof(
        "group sum in LUTs",
        "GroupDot",
        "As in gates, two cycles later.",
        COMPOSED,
        "subgroup sums within 4704, as proved",
        partial(group, format=formats.get("m2xfp", Fabric.LUTS)),
        (
            "LUTs: multiplier of the next weights",
            "group: scale of another cycle",
            "carry chains: carry at a neighbour's position",
        ),
    ),
]
