from amaranth.hdl import Cat, Module, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..e2m1 import E2M1
from .rounding import Aligned, aligned_layout, e2m1_code, e2m3_step
from .top1 import select, top_one
from .unpack import ROUNDABLE

#: Elements of a subgroup.
SUBGROUP = 8


class Encoder(wiring.Component):
    """What the encoders of a subgroup share: their ports.

    Parameters
    ----------
    significand_bits : int
        Bits of the significands it needs.
    has_metadata : bool
    latency : int
        Ranks of registers within.

    Attributes
    ----------
    values : In(ArrayLayout(aligned_layout(significand_bits), 8))
    enable : In(1)
        The ranks move on.
    nan : In(1)
        The group is a NaN group: signs become 0. `Align` has put its values at distance 7, so
        codes are 0 already. Comes with the outputs, ``latency`` cycles after the values.
    elements : Out(ArrayLayout(E2M1, 8))
    meta : Out(2)
        Metadata of the subgroup, if it has any.
    """

    def __init__(self, significand_bits: int, *, has_metadata: bool, latency: int):
        self.significand_bits = significand_bits
        self.has_metadata = has_metadata
        self.latency = latency
        super().__init__(
            {
                "values": In(data.ArrayLayout(aligned_layout(significand_bits), SUBGROUP)),
                "enable": In(1),
                "nan": In(1),
                "elements": Out(data.ArrayLayout(E2M1, SUBGROUP)),
                "meta": Out(2),
            }
        )


class ElementEncoder(Encoder):
    """Rounds a subgroup to E2M1, with Elem-EM-top1 metadata or none. Combinational.

    See format spec, section 2. Only the top-1 is rounded to E2M3, after it was found.

    Parameters
    ----------
    has_metadata : bool
        Whether the format has metadata.
    """

    def __init__(self, *, has_metadata: bool):
        super().__init__(ROUNDABLE, has_metadata=has_metadata, latency=0)

    def elaborate(self, platform):
        m = Module()
        codes = [e2m1_code(m, value, f"code_{i}") for i, value in enumerate(self.values)]
        for element, code, value in zip(self.elements, codes, self.values, strict=True):
            m.d.comb += [element.code.eq(code), element.sign.eq(value.sign & ~self.nan)]
        if self.has_metadata:
            winner, code = top_one(m, codes)
            top = Signal(Aligned)
            m.d.comb += top.as_value().eq(select(winner, [unsigned_bits(v) for v in self.values]))
            m.d.comb += self.meta.eq(e2m3_step(m, top, code[0], "step"))
        return m


def unsigned_bits(value: data.View) -> Value:
    """Return the bits of an aligned value below its sign: all that its magnitude depends on."""
    return Cat(value.significand, value.distance)
