from types import MappingProxyType

from amaranth.hdl import Cat, Module, Value, unsigned
from amaranth.lib import data

from ..bit_heap import BitHeap
from ..e2m1 import E2M1, add_product
from ..fabric import Fabric
from .base import Format


class Mxfp4(Format):
    """OCP MXFP4: groups of 32 E2M1 elements with one E8M0 scale (format spec, section 8).

    A subgroup sum counts quarters: E2M1 magnitudes are at most 12 halves, so eight products
    are at most 1152 quarters in magnitude.
    """

    name = "mxfp4"
    lanes = 32
    subgroup = 8
    product_bits = 12
    significand_bits = 14
    exponent_bits = 9
    unit_exponent = -254 - 2
    part_delays = MappingProxyType({"scale": 1})

    def __init__(self, *, fabric: Fabric = Fabric.GATES):
        super().__init__(fabric=fabric)
        elements = data.ArrayLayout(E2M1, self.lanes)
        self.group = data.StructLayout({"elements": elements, "scale": unsigned(8)})
        subgroup = data.StructLayout({"elements": data.ArrayLayout(E2M1, self.subgroup)})
        self.encoded_subgroup = subgroup
        self.activation_subgroup = subgroup
        self.weight_subgroup = subgroup

    def encoded(self, group: data.View, index: int) -> Value:
        """Return the bits of subgroup ``index`` of a bus word, as ``encoded_subgroup``."""
        first = index * self.subgroup
        return Cat(group.elements[first + lane] for lane in range(self.subgroup))

    def decode_subgroup(self, m: Module, searched: data.View, operand: data.View) -> None:
        """Pass the elements on: the sign and magnitude codes are the operand."""
        m.d.comb += operand.elements.eq(searched.elements)

    def add_products(
        self, m: Module, heap: BitHeap, activation: data.View, weight: data.View
    ) -> None:
        """Add eight products in units of 1/4."""
        for x, w in zip(activation.elements, weight.elements, strict=True):
            add_product(m, heap, x, w)

    def combine_scales(self, m: Module, activation: data.View, weight: data.View) -> Value:
        """Add two E8M0 codes; 255 in either is NaN."""
        nan = activation.scale.all() | weight.scale.all()
        return Cat(activation.scale + weight.scale, nan)

    def add_group(self, m: Module, heap: BitHeap, subgroups: data.View, multiplier: Value) -> None:
        """Add all subgroups, in gates as rows: eight products fit full adders' without a carry."""
        for rows in subgroups:
            terms = rows if self.fabric is Fabric.GATES else [sum(rows)[: self.product_bits]]
            for term in terms:
                heap.add(term)
            heap.add_constant(-1 << (self.product_bits - 1))
