from types import MappingProxyType

from amaranth.hdl import Cat, Module, Mux, Value, unsigned
from amaranth.lib import data

from ..bit_heap import BitHeap
from ..bits import named
from ..e2m1 import E2M1, combined_shifts, negated, product, shift_left, shifts, significand, times
from ..fabric import Fabric
from .mxfp4 import Mxfp4


class ActivationMultiplier(data.Struct):
    """A multiplier na = 4, 4 + 1, 2 + 1 or 1 as its terms.

    Members
    -------
    four, double, plus : unsigned(1)
        The terms 4, 2 and 1; never 4 and 2.
    """

    four: unsigned(1)
    double: unsigned(1)
    plus: unsigned(1)


class WeightMultiplier(data.Struct):
    """A multiplier nw = 8, 8 - 1, 4 + 2 or 4 + 1 as its two terms.

    Members
    -------
    four : unsigned(1)
        The first term is 4 instead of 8.
    minus, double, plus : unsigned(1)
        At most one of them: the second term is -1, 2 or 1.
    """

    four: unsigned(1)
    minus: unsigned(1)
    double: unsigned(1)
    plus: unsigned(1)


class M2xfpSg(Mxfp4):
    """M2XFP-SG: MXFP4 with a multiplier a subgroup of both operands (docs/m2xfp_sg.md).

    Decoding is wires and the multipliers' terms. A subgroup sum counts quarters and is at most
    1152; times na = 4, 5, 3 or 1 and nw = 8, 7, 6 or 5 it counts 1/128, and a group is at most
    184320.
    """

    name = "m2xfp_sg"
    significand_bits = 19
    unit_exponent = -254 - 7
    multiplies = True
    part_delays = MappingProxyType({"multipliers": 1, "scale": 2})

    def __init__(self, *, fabric: Fabric = Fabric.GATES):
        super().__init__(fabric=fabric)
        self._multipliers = data.ArrayLayout(unsigned(2), self.subgroups)
        self.group = data.StructLayout(
            {
                "elements": data.ArrayLayout(E2M1, self.lanes),
                "metadata": self._multipliers,
                "scale": unsigned(8),
            }
        )

    @property
    def activation(self) -> data.StructLayout:
        """Activations of a group: elements, multipliers as terms, scale."""
        return self._operand(data.ArrayLayout(ActivationMultiplier, self.subgroups))

    @property
    def weight(self) -> data.StructLayout:
        """Weights of a group: elements, multipliers as terms, scale."""
        return self._operand(data.ArrayLayout(WeightMultiplier, self.subgroups))

    def _operand(self, multipliers: data.ArrayLayout) -> data.StructLayout:
        subgroups = data.ArrayLayout(self.activation_subgroup, self.subgroups)
        return data.StructLayout({"subgroups": subgroups, "multipliers": multipliers, "scale": 8})

    def decode_weight(self, m: Module, group: data.View) -> Value:
        """Decode the multipliers once for all rows."""
        terms = [Cat(index[1], index == 1, index == 2, index == 3) for index in group.metadata]
        return Cat(group.elements, terms, group.scale)

    def common_parts(self, group: data.View) -> dict[str, Value]:
        """Return the scale, and the multipliers, decoded once for all columns."""
        terms = [Cat(~index[1], index == 2, index.any()) for index in group.metadata]
        return {"scale": group.scale, "multipliers": Cat(terms)}

    def add_products(
        self, m: Module, heap: BitHeap, activation: data.View, weight: data.View
    ) -> None:
        """Add eight products in units of 1/4, in gates as one number: its multiples take long."""
        if self.fabric is Fabric.LUTS:
            for x, w in zip(activation.elements, weight.elements, strict=True):
                heap.add(self.product(m, x, w))
            return
        products = BitHeap(m, self.product_bits)
        for x, w in zip(activation.elements, weight.elements, strict=True):
            products.add(self.product(m, x, w))
        heap.add(named(m, "products", products.total()))

    def product(self, m: Module, x: E2M1, w: E2M1) -> Value:
        """Return the product of an activation and a weight in units of 1/4."""
        return product(m, x, w)

    def multiplier(
        self, activation: data.View, weight: data.View, factors: list[data.View]
    ) -> list[tuple[Value, Value]]:
        """Return the terms of both multipliers of every subgroup."""
        return list(zip(activation.multipliers, weight.multipliers, strict=True))

    def add_group(self, m: Module, heap: BitHeap, subgroups: data.View, multiplier: Value) -> None:
        """Add the sum of every subgroup times na * nw, in units of 1/128.

        na is 4, 4 + 1, 2 + 1 or 1, an adder; nw is 8, 8 - 1, 4 + 2 or 4 + 1, two terms.
        """
        bits = self.product_bits
        for index, (rows, (a, w)) in enumerate(zip(subgroups, multiplier, strict=True)):
            offset = sum(rows)[:bits]
            total = named(m, f"total_{index}", offset ^ 1 << (bits - 1))
            total = self.fabric.halves(m, total, f"total_{index}").as_signed()
            more = _masked(a.four, total << 2) | _masked(a.double, total << 1)
            # At most 5 * 1344, or 5760 without the spare code.
            scaled = more.as_signed() + _masked(a.plus, total).as_signed()
            once = named(m, f"scaled_{index}", scaled[: bits + 2].as_signed())
            heap.add(Mux(w.four, once << 2, once << 3)[2:].as_signed(), 2)
            small = _masked(w.minus, ~once) | _masked(w.double, once << 1) | _masked(w.plus, once)
            heap.add(named(m, f"small_{index}", small[: bits + 3]).as_signed())
            heap.add(w.minus)


def _masked(enable: Value, value: Value) -> Value:
    """Return the bits of a signed value that are 0 unless enabled, sign extended to 16."""
    return Cat(value, value[-1].replicate(16 - len(value))) & enable.replicate(16)


class M2xfpSgSpare(M2xfpSg):
    """M2XFP-SG whose nibble 8 is +7 in activations and +5 in weights (docs/m2xfp_sg.md).

    A subgroup sum is at most 1344, a group at most 215040: as wide as without.
    """

    name = "m2xfp_sg_spare"

    def product(self, m: Module, x: E2M1, w: E2M1) -> Value:
        """Return the product of an activation and a weight in units of 1/4."""
        return spare_product(m, x, w)


def spare_product(m: Module, x: E2M1, w: E2M1) -> Value:
    """Return the product of an activation and a weight in units of 1/4.

    The spare values are 7 and 5 shifted by one. As two low bits they are 3 and 1; four times what
    those lack is added to the product of the low bits.

    Returns
    -------
    signed(9)
    """
    spare_x, spare_w = (named(m, "spare", e.sign & ~e.code.any()) for e in (x, w))
    left = named(m, "left", significand(x.code) | spare_x.replicate(2))
    right = named(m, "right", significand(w.code) | spare_w)
    low = times(m, left, right)
    both = spare_x & spare_w
    more = (right & (spare_x & ~both).replicate(2)) | (left & (spare_w & ~both).replicate(2))
    high = (low[2:] + more)[:3]
    magnitude = named(m, "magnitude", Cat(low[:2], high, both))
    small = negated(m, magnitude, (x.sign & ~spare_x) ^ (w.sign & ~spare_w))
    shift = combined_shifts(m, _shifts(x.code, spare_x), _shifts(w.code, spare_w))
    # The largest is 14 * 12: nine bits hold it, and no shift takes more from a magnitude.
    return shift_left(m, small, shift)[:9].as_signed()


def _shifts(code: Value, spare: Value) -> list[Value]:
    """Return the one-hot of the shift of a significand, 1 for the spare code."""
    none, one, two = shifts(code)
    return [none & ~spare, one | spare, two]
