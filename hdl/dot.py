from amaranth.hdl import Module, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .formats import Format


class SubgroupDot(wiring.Component):
    """Exact dot product of one subgroup, before the weight multiplier. Combinational.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    activation : In(format.activation_subgroup)
    weight : In(format.weight_subgroup)
    total : Out(signed(format.product_bits))
        For M2XFP in units of 1/16 (format spec, section 7).
    """

    def __init__(self, format: Format):
        self._format = format
        super().__init__(
            {
                "activation": In(format.activation_subgroup),
                "weight": In(format.weight_subgroup),
                "total": Out(signed(format.product_bits)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.total.eq(self._format.subgroup_sum(m, self.activation, self.weight))
        return m


def term_layout(format: Format) -> data.StructLayout:
    """Return the layout of a group's contribution to a partial sum.

    Members
    -------
    significand : signed(format.significand_bits)
    exponent : unsigned(format.exponent_bits)
        The term is worth ``significand * 2**(exponent + format.unit_exponent)``.
    nan : unsigned(1)
        A scale is NaN; the rest means nothing then.
    """
    return data.StructLayout(
        {
            "significand": signed(format.significand_bits),
            "exponent": format.exponent_bits,
            "nan": 1,
        }
    )


class GroupDot(wiring.Component):
    """Exact dot product of one group: subgroup sums, weight multipliers, one integer sum.

    Latency is :attr:`latency` cycles, throughput one group a cycle. The pipeline never stalls.

    Parameters
    ----------
    format : Format

    Attributes
    ----------
    activation : In(format.activation)
    weight : In(format.weight)
    term : Out(term_layout(format))
    latency : int
        2: after the subgroup sums, after the group sum.
    """

    latency = 2

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

        # The multipliers that belong to the sums: a swap of the weights may follow at once.
        weight = Signal(format.weight, reset_less=True)
        totals = []
        for index in range(format.subgroups):
            m.submodules[f"subgroup_{index}"] = dot = SubgroupDot(format)
            total = Signal(signed(format.product_bits), reset_less=True, name=f"total_{index}")
            totals.append(total)
            m.d.comb += [
                dot.activation.eq(self.activation.subgroups[index]),
                dot.weight.eq(self.weight.subgroups[index]),
            ]
            m.d.sync += total.eq(dot.total)
        early = Signal(term_layout(format), reset_less=True)
        exponent, nan = format.combine_scales(self.activation.scale, self.weight.scale)
        m.d.sync += [weight.eq(self.weight), early.exponent.eq(exponent), early.nan.eq(nan)]

        term = Signal(term_layout(format), reset_less=True)
        scaled = [
            format.scaled(m, total, subgroup)
            for total, subgroup in zip(totals, weight.subgroups, strict=True)
        ]
        m.d.sync += [term.eq(early), term.significand.eq(sum(scaled[1:], scaled[0]))]
        m.d.comb += self.term.eq(term)
        return m
