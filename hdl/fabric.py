import enum

from amaranth.hdl import Module, Value

from .bit_heap import BitHeap
from .carry_chains import CarryChains
from .skew import delayed


class Fabric(enum.Enum):
    """What gateware is shaped for. The results are the same bits, the latencies differ.

    Members
    -------
    GATES
        Standard cells: sums of many operands are made of full adders, with one carry in the end.
    LUTS
        FPGAs: sums are made of carry chains, where a full adder takes two LUTs a bit, products are
        looked up, and the longest stages are cut in two, for flip-flops are there.
    """

    GATES = "gates"
    LUTS = "luts"

    @property
    def cut(self) -> int:
        """Registers in the middle of what is one stage in gates."""
        return 1 if self is Fabric.LUTS else 0

    def heap(self, m: Module, width: int) -> BitHeap | CarryChains:
        """Return an empty sum modulo ``2**width`` whose adders go into ``m``."""
        return BitHeap(m, width) if self is Fabric.GATES else CarryChains(m, width)

    def product_heap(self, m: Module, width: int) -> BitHeap | CarryChains:
        """Return the same for products, which come :attr:`cut` cycles later."""
        return BitHeap(m, width) if self is Fabric.GATES else CarryChains(m, width, latency=1)

    def halves(self, m: Module, value: Value, name: str) -> Value:
        """Return a value of the first half of a stage as the second half has it."""
        return delayed(m, value, self.cut, name, reset_less=True)
