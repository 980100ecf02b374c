"""Components with a part taken out, so that what the part computes is free in a proof."""

from collections.abc import Iterator
from contextlib import contextmanager

from amaranth.hdl import Fragment, Module, Signal, Value, signed, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl import fabric

from .diagrams import Operand

__all__ = ["HeapCut", "Stub", "replaced"]


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

    def __init__(self, width: int):
        self.width = width
        self.operands: list[tuple[Value, int]] = []
        self.options: list[dict[str, int]] = []
        self.constant = 0
        self.result = [Signal(width, name=f"heap_row_{index}") for index in range(2)]

    def add(self, value: Value, position: int = 0, *, delay: int = 0) -> None:
        self.operands.append((value, position))
        self.options.append({"delay": delay})

    def add_constant(self, value: int) -> None:
        self.constant += value

    def rows(self) -> tuple[Value, Value]:
        return tuple(self.result)

    def total(self) -> Value:
        return (self.result[0] + self.result[1])[: self.width]


class HeapCut(wiring.Component):
    """A component around its bit heap.

    Parameters
    ----------
    module
        The Python module that refers to `BitHeap`, unless the fabric chooses it.
    make : callable
        Returns a new component, whose elaboration makes one heap there.

    Attributes
    ----------
    operands : list of Operand
        What is added in the heap.
    options : list of dict
        What else the heap was told of each.
    width : int
        Of the heap.
    constant : int
        The constants added.
    operand_0, operand_1 ... : Out
        Values of the operands.
    heap_0, heap_1 : In(width)
        What is to be the rows of the heap.
    """

    def __init__(self, module: object, make):
        self._module, self._make = module, make
        unit = make()
        recorder, _ = self._elaborated(unit)
        shapes = [value.shape() for value, _ in recorder.operands]
        self.operands = [
            Operand(shape.width, shape.signed, position)
            for shape, (_, position) in zip(shapes, recorder.operands, strict=True)
        ]
        self.options = recorder.options
        self.width, self.constant = recorder.width, recorder.constant
        members = dict(unit.signature.members)
        for index, operand in enumerate(self.operands):
            shape = signed(operand.width) if operand.signed else unsigned(operand.width)
            members[f"operand_{index}"] = Out(shape)
        for index in range(2):
            members[f"heap_{index}"] = In(self.width)
        super().__init__(members)

    def _elaborated(self, unit: wiring.Component) -> tuple[_Recorder, Fragment]:
        recorders = []

        def make_recorder(m, width):
            recorders.append(_Recorder(width))
            return recorders[-1]

        module = self._module if hasattr(self._module, "BitHeap") else fabric
        with replaced(module, "BitHeap", make_recorder):
            fragment = Fragment.get(unit, None)
        (recorder,) = recorders
        return recorder, fragment

    def elaborate(self, platform):
        """Elaborate the component with a recorder in place of the heap."""
        m = Module()
        unit = self._make()
        recorder, fragment = self._elaborated(unit)
        m.submodules.unit = fragment
        for name, member in unit.signature.members.items():
            inner, outer = getattr(unit, name), getattr(self, name)
            if member.is_port and member.flow is In:
                m.d.comb += Value.cast(inner).eq(Value.cast(outer))
            else:
                m.d.comb += Value.cast(outer).eq(Value.cast(inner))
        for index, (value, _) in enumerate(recorder.operands):
            m.d.comb += getattr(self, f"operand_{index}").eq(value)
        for index, row in enumerate(recorder.result):
            m.d.comb += row.eq(getattr(self, f"heap_{index}"))
        return m
