from amaranth.hdl import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..e2m1 import E2M1
from .rounding import Aligned, e2m1_code, e2m3_step
from .top1 import select, top_one

#: Elements of a subgroup.
SUBGROUP = 8


class SubgroupEncoder(wiring.Component):
    """Encodes a subgroup of activations: Elem-EM-top1 (format spec, section 2). Combinational.

    Only the top-1 is rounded to E2M3, after it was found.

    Parameters
    ----------
    metadata : bool
        Whether the format has metadata.

    Attributes
    ----------
    values : In(ArrayLayout(Aligned, 8))
    nan : In(1)
        The group is a NaN group: signs become 0. `Align` has put its values at distance 7, so
        codes are 0 and metadata is 1.
    elements : Out(ArrayLayout(E2M1, 8))
    meta : Out(2)
        Metadata of the subgroup; only with ``metadata``.
    """

    def __init__(self, *, metadata: bool):
        ports = {
            "values": In(data.ArrayLayout(Aligned, SUBGROUP)),
            "nan": In(1),
            "elements": Out(data.ArrayLayout(E2M1, SUBGROUP)),
        }
        super().__init__(ports | ({"meta": Out(2)} if metadata else {}))

    def elaborate(self, platform):
        m = Module()
        codes = [e2m1_code(m, value, f"code_{i}") for i, value in enumerate(self.values)]
        for element, code, value in zip(self.elements, codes, self.values, strict=True):
            m.d.comb += [element.code.eq(code), element.sign.eq(value.sign & ~self.nan)]
        if "meta" in self.signature.members:
            winner, code = top_one(m, codes)
            values = [top_key(value, code) for value, code in zip(self.values, codes, strict=True)]
            top = Signal(Aligned)
            m.d.comb += top.as_value().eq(select(winner, values))
            m.d.comb += self.meta.eq(e2m3_step(m, top, code[0], "step"))
        return m


def top_key(value: data.View, code) -> Cat:
    """Return the bits of a value that its E2M3 code depends on."""
    return Cat(value.significand, value.distance)
