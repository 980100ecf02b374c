from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .accumulator import Fp32Accumulator, accumulation_latency, rounding_latency
from .dot import GroupDot
from .formats import Format
from .fp32 import Fp32


def partial_delay(format: Format) -> int:
    """Return the cycles from a column's activations to their partial sum."""
    return 1 + format.dot_latency + rounding_latency(format)


def column_latency(format: Format) -> int:
    """Return the cycles from a column's activations to their total."""
    return 1 + format.dot_latency + accumulation_latency(format)


class Column(wiring.Component):
    """One column of the tile: a group of weights, their dot product, an FP32 addition.

    Every cycle a decoded group of activations enters and leaves for the next column one cycle
    later. With ``swap`` the weights on the bus replace the ones held, for the activations that
    enter in the same cycle and later. Parts of both trail their elements by ``format.delays``.
    The pipeline never stalls; what a cycle without activations computes is for the tile to
    ignore. The memory of partial sums is outside.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    activation : In(format.activation)
    weight : In(format.weight)
        Weight bus, looked at when ``swap`` is high.
    swap : In(max(format.delays.values()) + 1)
        Bit d: there was a swap d cycles ago; now the parts that trail by d replace those held.
    partial : In(Fp32)
        Partial sum that the dot product of the activations of :attr:`partial_delay` cycles ago
        is added to.
    activation_next : Out(format.activation)
        ``activation`` one cycle later.
    total : Out(Fp32)
        Sum, :attr:`latency` cycles after its activations.
    partial_delay : int
    latency : int

    Raises
    ------
    TypeError
        If ``format`` is not a gateware format.
    """

    def __init__(self, format: Format):
        if not isinstance(format, Format):
            raise TypeError(f"Format must be a gateware format, not {format!r}")
        self._format = format
        super().__init__(
            {
                "activation": In(format.activation),
                "weight": In(format.weight),
                "swap": In(max(format.delays.values()) + 1),
                "partial": In(Fp32),
                "activation_next": Out(format.activation),
                "total": Out(Fp32),
            }
        )

    @property
    def format(self) -> Format:
        """Format of activations and weights."""
        return self._format

    @property
    def partial_delay(self) -> int:
        """Cycles from activations to their partial sum."""
        return partial_delay(self.format)

    @property
    def latency(self) -> int:
        """Cycles from activations to their total."""
        return column_latency(self.format)

    def elaborate(self, platform):
        m = Module()
        activation = Signal(self.format.activation, reset_less=True)
        weight = Signal(self.format.weight, reset_less=True)
        m.d.sync += activation.eq(self.activation)
        for part, delay in self.format.delays.items():
            if part in self.format.weight.members:
                with m.If(self.swap[delay]):
                    m.d.sync += weight[part].eq(self.weight[part])

        m.submodules.dot = dot = GroupDot(self.format)
        m.submodules.accumulator = accumulator = Fp32Accumulator(self.format)
        m.d.comb += [
            self.activation_next.eq(activation),
            dot.activation.eq(activation),
            dot.weight.eq(weight),
            accumulator.term.eq(dot.term),
            accumulator.partial.eq(self.partial),
            self.total.eq(accumulator.total),
        ]
        return m
