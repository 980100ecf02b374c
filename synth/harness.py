"""A frame that lets a component with more ports than a package has pins be placed and routed."""

from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Harness"]

#: Bits of the output fold that one register takes: one LUT4 each.
_FOLD = 4


class Harness(wiring.Component):
    """Feeds every input of a component from a shift register and folds its outputs into one bit.

    All paths into and out of the component then start and end at a flip-flop beside it, and none
    can be optimised away. The frame's own paths have one LUT4 at most.

    Parameters
    ----------
    component
        The component to place.

    Attributes
    ----------
    serial : In(1)
        Next bit for the shift register.
    shift : In(1)
        Shifts. Without this enable, a register at an input of the component would always equal
        a bit of the shift register, and synthesis would merge the two.
    folded : Out(1)
        Exclusive or of all output bits, some cycles later.
    """

    serial: In(1)
    shift: In(1)
    folded: Out(1)

    def __init__(self, component: wiring.Component):
        self._component = component
        super().__init__()

    def elaborate(self, platform):
        """Build the frame around the component."""
        m = Module()
        m.submodules.unit = self._component
        ports = {In: [], Out: []}
        signature = self._component.signature
        for _path, member, value in signature.flatten(self._component):
            ports[member.flow].append(Value.cast(value))

        inputs = Cat(ports[In])
        chain = Signal(len(inputs), reset_less=True)
        with m.If(self.shift):
            m.d.sync += chain.eq(Cat(self.serial, chain))
        m.d.comb += inputs.eq(chain)

        bits = Cat(ports[Out])
        stage = Signal(len(bits), name="captured", reset_less=True)
        m.d.sync += stage.eq(bits)
        while len(stage) > 1:
            groups = [stage[at : at + _FOLD] for at in range(0, len(stage), _FOLD)]
            folded = Signal(len(groups), name="fold", reset_less=True)
            m.d.sync += folded.eq(Cat(group.xor() for group in groups))
            stage = folded
        m.d.comb += self.folded.eq(stage)
        return m
