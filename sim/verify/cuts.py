"""Components with a part taken out, so that what the part computes is free in a proof."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from amaranth.hdl import Fragment, Module, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import fabric
from hdl.bit_heap import BitHeap
from hdl.carry_chains import CarryChains
from hdl.formats import m2xfp_sg

from .diagrams import Operand

__all__ = ["Heap", "HeapCut", "Stub", "connect_ports", "replaced"]


@contextmanager
def replaced(module: object, name: str, value: object) -> Iterator[None]:
    """Let a name of a module mean something else for a while."""
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


class Stub(wiring.Component):
    """The ports of another component without anything between them: others drive its outputs."""

    def __init__(self, component: wiring.Component):
        super().__init__(component.signature)

    def elaborate(self, platform):
        """Leave all to others."""
        return Module()


class _Recorder:
    """Takes the place of a `BitHeap`: keeps the operands, and leaves the rows free."""

    def __init__(self, m: Module, width: int, *, latency: int = 0):
        self.width, self.latency = width, latency
        self.operands: list[tuple[Value, int]] = []
        self.options: list[dict[str, int]] = []
        self.constant = 0
        self.added_up = False
        self.result = [Signal(width, name=f"heap_row_{index}") for index in range(2)]

    def add(self, value: Value, position: int = 0, *, delay: int = 0) -> None:
        self.operands.append((Value.cast(value), position))
        self.options.append({"delay": delay})

    def add_constant(self, value: int) -> None:
        self.constant += value

    def rows(self) -> tuple[Value, Value]:
        return tuple(self.result)

    def total(self) -> Value:
        self.added_up = True
        return (self.result[0] + self.result[1])[: self.width]


class _ChainRecorder(_Recorder, CarryChains):
    """The same for `CarryChains`, which products ask what it is."""


#: Where heaps are made -> what is made there, and what records it.
_HEAPS = (
    (fabric, "BitHeap", BitHeap, _Recorder),
    (fabric, "CarryChains", CarryChains, _ChainRecorder),
    (m2xfp_sg, "BitHeap", BitHeap, _Recorder),
)


@dataclass(frozen=True)
class Heap:
    """What a component adds in one heap.

    Attributes
    ----------
    kind : type
        `BitHeap` or `CarryChains`.
    width, latency : int
    operands : list of Operand
    options : list of dict
        What else the heap was told of each.
    constant : int
        The constants added.
    added_up : bool
        Whether its sum is asked for, not its two rows.
    """

    kind: type
    width: int
    latency: int
    operands: list[Operand]
    options: list[dict[str, int]]
    constant: int
    added_up: bool


class HeapCut(wiring.Component):
    """A component around its heaps.

    Parameters
    ----------
    make : callable
        Returns a new component.

    Attributes
    ----------
    heaps : list of Heap
        In the order in which they were made.
    heap_0_operand_0, heap_0_operand_1 ... : Out
        Values of the operands.
    heap_0_row_0, heap_0_row_1 ... : In(width)
        What is to be the rows of the heap.
    """

    def __init__(self, make: Callable[[], wiring.Component]):
        self._make = make
        unit = make()
        recorded, _ = self._elaborated(unit)
        self.heaps = [_heap(kind, recorder) for kind, recorder in recorded]
        members = dict(unit.signature.members)
        for number, heap in enumerate(self.heaps):
            for index, operand in enumerate(heap.operands):
                shape = signed(operand.width) if operand.signed else unsigned(operand.width)
                members[f"heap_{number}_operand_{index}"] = Out(shape)
            for index in range(2):
                members[f"heap_{number}_row_{index}"] = In(heap.width)
        super().__init__(members)

    def _elaborated(self, unit: wiring.Component) -> tuple[list[tuple[type, _Recorder]], Fragment]:
        recorded = []

        def recording(kind, recorder):
            def make(m, width, **options):
                recorded.append((kind, recorder(m, width, **options)))
                return recorded[-1][1]

            return make

        with ExitStack() as stack:
            for module, name, kind, recorder in _HEAPS:
                stack.enter_context(replaced(module, name, recording(kind, recorder)))
            fragment = Fragment.get(unit, None)
        return recorded, fragment

    def elaborate(self, platform):
        """Elaborate the component with recorders in place of the heaps."""
        m = Module()
        unit = self._make()
        recorded, fragment = self._elaborated(unit)
        m.submodules.unit = fragment
        connect_ports(m, unit, self)
        for number, (_, recorder) in enumerate(recorded):
            for index, (value, _) in enumerate(recorder.operands):
                m.d.comb += getattr(self, f"heap_{number}_operand_{index}").eq(value)
            for index, row in enumerate(recorder.result):
                m.d.comb += row.eq(getattr(self, f"heap_{number}_row_{index}"))
        return m


def connect_ports(m: Module, unit: wiring.Component, outer: wiring.Component) -> None:
    """Connect every port of a unit to that of the same name around it."""
    for name, member in unit.signature.members.items():
        inner, other = getattr(unit, name), getattr(outer, name)
        if member.is_port and member.flow is In:
            m.d.comb += Value.cast(inner).eq(Value.cast(other))
        else:
            m.d.comb += Value.cast(other).eq(Value.cast(inner))


def _heap(kind: type, recorder: _Recorder) -> Heap:
    operands = [
        Operand(len(value), value.shape().signed, position) for value, position in recorder.operands
    ]
    return Heap(
        kind,
        recorder.width,
        recorder.latency,
        operands,
        recorder.options,
        recorder.constant,
        recorder.added_up,
    )
