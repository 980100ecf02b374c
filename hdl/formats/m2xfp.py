from types import MappingProxyType

from amaranth.hdl import Cat, Const, Module, Mux, Value, unsigned
from amaranth.lib import data

from ..bit_heap import BitHeap
from ..bits import named
from ..e2m1 import (
    E2M1,
    add_product,
    combined_shifts,
    negated,
    shift_left,
    shifts,
    significand,
)
from ..fabric import Fabric
from .mxfp4 import Mxfp4


class Correction(data.Struct):
    """What the metadata adds to the top-1 activation of a subgroup: +-2**shift eighths.

    Members
    -------
    shift : unsigned(2)
    sign : unsigned(1)
        Sign of the correction of the signed element.
    """

    shift: unsigned(2)
    sign: unsigned(1)


class M2xfp(Mxfp4):
    """M2XFP: MXFP4 with two bits of metadata a subgroup (format spec, sections 2 and 3).

    Activations: the top-1 element of a subgroup is corrected by -1, 0, +1 or +2 E2M3 codes.
    Weights: a subgroup is multiplied by (4 + k) / 4. Widths are those of section 7: subgroup
    sums count sixteenths and are at most 4704, group sums count 1/64 and are at most 131712.
    """

    name = "m2xfp"
    product_bits = 14
    significand_bits = 19
    unit_exponent = -254 - 6
    multiplies = True
    decode_latency = 1
    part_delays = MappingProxyType({"multipliers": 1, "scale": 2})

    def __init__(self, *, fabric: Fabric = Fabric.GATES):
        super().__init__(fabric=fabric)
        elements = data.ArrayLayout(E2M1, self.lanes)
        metadata = data.ArrayLayout(unsigned(2), self.subgroups)
        self.group = data.StructLayout(
            {"elements": elements, "metadata": metadata, "scale": unsigned(8)}
        )
        elements = data.ArrayLayout(E2M1, self.subgroup)
        self.encoded_subgroup = data.StructLayout({"elements": elements, "metadata": unsigned(2)})
        self.activation_subgroup = data.StructLayout(
            {"elements": elements, "top": unsigned(self.subgroup), "correction": Correction}
        )
        self.weight_subgroup = data.StructLayout({"elements": elements})

    @property
    def weight(self) -> data.StructLayout:
        """Weights of a group as they are stored: elements, multipliers 4 + k, scale."""
        subgroups = data.ArrayLayout(self.weight_subgroup, self.subgroups)
        multipliers = data.ArrayLayout(unsigned(2), self.subgroups)
        return data.StructLayout({"subgroups": subgroups, "multipliers": multipliers, "scale": 8})

    def encoded(self, group: data.View, index: int) -> Value:
        """Return the bits of subgroup ``index`` of a bus word, as ``encoded_subgroup``."""
        return Cat(super().encoded(group, index), group.metadata[index])

    @property
    def searched_subgroup(self) -> data.StructLayout:
        """A subgroup, its largest code and which of its elements have it."""
        return data.StructLayout(
            {"encoded": self.encoded_subgroup, "candidates": self.subgroup, "largest": 3}
        )

    def search(self, m: Module, encoded: data.View, searched: data.View) -> None:
        """Find the largest code."""
        candidates, largest = top_one(m, [element.code for element in encoded.elements])
        m.d.comb += [
            searched.encoded.eq(encoded),
            searched.candidates.eq(candidates),
            searched.largest.eq(largest),
        ]

    def decode_subgroup(self, m: Module, searched: data.View, operand: data.View) -> None:
        """Choose the top-1 element and find its correction."""
        encoded, code = searched.encoded, searched.largest
        down = named(m, "down", encoded.metadata == 0)
        # Zero stays zero under a step down.
        corrects = (encoded.metadata != 1) & (code.any() | ~down)
        sign = _select(operand.top, [element.sign for element in encoded.elements])
        m.d.comb += [
            operand.elements.eq(encoded.elements),
            operand.top.eq(first_one(m, searched.candidates, corrects)),
            operand.correction.shift.eq(_correction_shift(code, encoded.metadata)),
            operand.correction.sign.eq(sign ^ down),
        ]

    def add_products(
        self, m: Module, heap: BitHeap, activation: data.View, weight: data.View
    ) -> None:
        """Add eight products and the correction's, in units of 1/16."""
        for x, w in zip(activation.elements, weight.elements, strict=True):
            add_product(m, heap, x, w, 2)
        selected = _select(activation.top, [element.as_value() for element in weight.elements])
        top = E2M1(named(m, "selected", selected))
        correction = activation.correction
        # Without a correction no weight is selected, and its zero has no sign.
        small = negated(m, significand(top.code), correction.sign ^ top.sign)
        steps = [correction.shift == shift for shift in range(4)]
        shift = combined_shifts(m, steps, shifts(top.code))
        heap.add(shift_left(m, small, shift), delay=10)

    def multiplier(
        self, activation: data.View, weight: data.View, factors: list[data.View]
    ) -> Value:
        """Return k of every subgroup."""
        return weight.multipliers

    def add_group(self, m: Module, heap: BitHeap, subgroups: data.View, multiplier: Value) -> None:
        """Add the sum of every subgroup times 4 + k, in units of 1/64.

        Two terms each, as 4, 4 + 1, 8 - 2 and 8 - 1.
        """
        bits = self.product_bits
        for index, (rows, k) in enumerate(zip(subgroups, multiplier, strict=True)):
            offset = sum(rows)[:bits]
            total = named(m, f"total_{index}", offset ^ 1 << (bits - 1))
            once = self.fabric.halves(m, total, f"total_{index}")
            single, twice = Cat(once, once[-1]), Cat(Const(0, 1), once)
            add_one, take_two, take_one = k == 1, k == 2, k == 3
            heap.add(Mux(k[1], twice, single).as_signed(), 2)
            small = (
                (single & add_one.replicate(bits + 1))
                | (~twice & take_two.replicate(bits + 1))
                | (~single & take_one.replicate(bits + 1))
            )
            heap.add(named(m, f"small_{index}", small).as_signed())
            heap.add(k[1])


def top_one(m: Module, codes: list[Value]) -> tuple[Value, Value]:
    """Return which of the codes are the largest, a bit each, and the largest code.

    By elimination: from the top bit down, keep the candidates that have the bit if any has.
    """
    candidates = Const(-1, unsigned(len(codes)))
    largest = []
    for bit in reversed(range(len(codes[0]))):
        having = named(m, f"having_{bit}", candidates & Cat(code[bit] for code in codes))
        largest.insert(0, named(m, f"largest_{bit}", having.any()))
        candidates = named(m, f"candidates_{bit}", Mux(largest[0], having, candidates))
    return candidates, Cat(largest)


def first_one(m: Module, value: Value, enable: Value) -> Value:
    """Return the lowest bit that is set, alone; nothing if not enabled."""
    bits = []
    for index, bit in enumerate(value):
        bits.append(bit & enable)
        enable = named(m, f"none_to_{index}", enable & ~bit)
    return Cat(bits)


def _correction_shift(code: Value, metadata: Value) -> Value:
    """Return the shift of a :class:`Correction` that is not zero.

    An E2M3 code step is 1/8 below 2.0, 1/4 below 4.0 and 1/2 above; a step down from the
    bottom of a binade is half of that.
    """
    one, two, down = metadata == 2, metadata == 3, metadata == 0
    small, medium, large = ~code[2], code[2] & ~code[1], code[2] & code[1]
    bottom = ~code[0]
    quarter = (small & two) | (medium & one) | (medium & ~bottom & down) | (large & bottom & down)
    half = (medium & two) | (large & one) | (large & ~bottom & down)
    eight = large & two
    return Cat(quarter | eight, half | eight)


def _select(one_hot: Value, values: list[Value]) -> Value:
    selected = 0
    for enable, value in zip(one_hot, values, strict=True):
        selected |= value & enable.replicate(len(value))
    return selected
