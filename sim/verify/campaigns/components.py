"""Components that campaigns run and that the gateware itself has no name for."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decode import GroupDecoder
from hdl.dot import GroupDot
from hdl.e2m1 import E2M1
from hdl.formats import Format
from hdl.quantizer.align import Align
from hdl.quantizer.encode import SUBGROUP, ElementEncoder
from hdl.quantizer.unpack import FLOAT_TYPES, ROUNDABLE, Unpack
from hdl.skew import delayed, skewed
from hdl.term import term_layout

__all__ = ["GroupProduct", "Lane"]


class GroupProduct(wiring.Component):
    """Two bus words in, their dot product out: decoder and group dot product.

    Attributes
    ----------
    activation, weight : In(format.group)
    term : Out(term_layout(format))
        :attr:`latency` cycles later.
    """

    def __init__(self, format: Format):
        self._format = format
        super().__init__(
            {
                "activation": In(format.group),
                "weight": In(format.group),
                "term": Out(term_layout(format)),
            }
        )

    @property
    def latency(self) -> int:
        """Cycles from the words to the term."""
        return self._format.decode_latency + self._format.dot_latency

    def elaborate(self, platform):
        """Connect the blocks as front and column do."""
        m = Module()
        format = self._format
        m.submodules.decoder = decoder = GroupDecoder(format)
        m.submodules.dot = dot = GroupDot(format)
        weight = Signal(format.weight)
        decoded = format.decode_weight(m, self.weight)
        m.d.comb += [
            weight.eq(delayed(m, decoded, format.decode_latency, "weight")),
            decoder.group.eq(self.activation),
            dot.activation.eq(skewed(m, decoder.operand, format.delays)),
            dot.weight.eq(skewed(m, weight, format.delays)),
            self.term.eq(dot.term),
        ]
        return m


class Lane(wiring.Component):
    """The way of one value through the engine, alone in its subgroup. Combinational.

    Attributes
    ----------
    value : In(width of dtype)
    largest : In(8)
        Largest exponent of the group, in FP32's bias.
    element : Out(E2M1)
    meta : Out(2)
    """

    def __init__(self, dtype: str):
        self._dtype = dtype
        super().__init__(
            {
                "value": In(FLOAT_TYPES[dtype].width),
                "largest": In(8),
                "element": Out(E2M1),
                "meta": Out(2),
            }
        )

    def elaborate(self, platform):
        """Connect the engine's own blocks; the other seven values are zero."""
        m = Module()
        m.submodules.unpack = unpack = Unpack(self._dtype)
        m.submodules.align = align = Align(SUBGROUP, ROUNDABLE)
        m.submodules.encoder = encoder = ElementEncoder(has_metadata=True)
        m.d.comb += [
            unpack.value.eq(self.value),
            align.values[0].eq(unpack.lane),
            align.largest.eq(self.largest),
            encoder.nan.eq(self.largest.all()),
            self.element.eq(encoder.elements[0]),
            self.meta.eq(encoder.meta),
        ]
        m.d.comb += [
            value.eq(aligned) for value, aligned in zip(encoder.values, align.aligned, strict=True)
        ]
        return m
