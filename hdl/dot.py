from amaranth.hdl import Module, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .formats import Format
from .term import term_layout


class SubgroupDot(wiring.Component):
    """Exact dot product of one subgroup, before any multiplier.

    Latency ``format.fabric.cut`` cycles: combinational in gates.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    activation : In(format.activation_subgroup)
    weight : In(format.weight_subgroup)
    rows : Out(data.ArrayLayout(unsigned(format.product_bits), 2))
        Two numbers that add up to the dot product plus ``2**(product_bits - 1)``, modulo
        ``2**product_bits``: their carry is for a later stage. For M2XFP in units of 1/16
        (format spec, section 7).
    """

    def __init__(self, format: Format):
        self._format = format
        super().__init__(
            {
                "activation": In(format.activation_subgroup),
                "weight": In(format.weight_subgroup),
                "rows": Out(data.ArrayLayout(unsigned(format.product_bits), 2)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        heap = self._format.fabric.product_heap(m, self._format.product_bits)
        self._format.add_products(m, heap, self.activation, self.weight)
        heap.add_constant(1 << (self._format.product_bits - 1))
        for row, value in zip(self.rows, heap.rows(), strict=True):
            m.d.comb += row.eq(value)
        return m


class GroupDot(wiring.Component):
    """Exact dot product of one group as one integer, and its combined scale.

    Throughput is one group a cycle. The pipeline never stalls.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    activation : In(format.activation)
    weight : In(format.weight)
        Parts of both trail their elements by ``format.delays``.
    term : Out(term_layout(format))
        Sum and scale, ``format.dot_latency`` cycles after the elements.
    """

    def __init__(self, format: Format):
        self._format = format
        super().__init__(
            {
                "activation": In(format.activation),
                "weight": In(format.weight),
                "term": Out(term_layout(format)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        format = self._format
        rows = Signal(
            data.ArrayLayout(data.ArrayLayout(format.product_bits, 2), format.subgroups),
            reset_less=True,
        )
        for index in range(format.subgroups):
            m.submodules[f"subgroup_{index}"] = dot = SubgroupDot(format)
            m.d.comb += [
                dot.activation.eq(self.activation.subgroups[index]),
                dot.weight.eq(self.weight.subgroups[index]),
            ]
            m.d.sync += rows[index].eq(dot.rows)

        # The factor belongs to the sums: a swap of the weights may follow at once.
        factor = Signal(format.factor)
        m.d.comb += factor.eq(format.combine_scales(m, self.activation, self.weight))
        factors = []
        for stage in range(format.dot_latency - format.delays["scale"]):
            factors.append(Signal(format.factor, name=f"factor_{stage}", reset_less=True))
            m.d.sync += factors[stage].eq(factors[stage - 1] if stage else factor)

        heap = format.fabric.heap(m, format.significand_bits)
        significand = Signal(format.significand_bits, reset_less=True)
        format.add_group(m, heap, rows, format.multiplier(self.activation, self.weight, factors))
        if format.multiplies:
            # Sum, multiplication and sum are too much for one stage.
            products = Signal(data.ArrayLayout(format.significand_bits, 2), reset_less=True)
            for row, value in zip(products, heap.rows(), strict=True):
                m.d.sync += row.eq(value)
            m.d.sync += significand.eq(products[0] + products[1])
        else:
            m.d.sync += significand.eq(heap.total())
        m.d.comb += [
            self.term.significand.eq(significand),
            self.term.exponent.eq([factor, *factors][-1].exponent),
            self.term.nan.eq([factor, *factors][-1].nan),
        ]
        return m
