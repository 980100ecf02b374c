"""Components that campaigns run and that the gateware itself has no name for."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hdl.decode import GroupDecoder
from hdl.dot import GroupDot
from hdl.formats import Format
from hdl.skew import delayed, skewed
from hdl.term import term_layout

__all__ = ["GroupProduct"]


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
