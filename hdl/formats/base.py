from collections.abc import Mapping

from amaranth.hdl import Module, Value
from amaranth.lib import data

from ..bit_heap import BitHeap


class Format:
    """Gateware half of a number format: what a systolic tile must know to compute with it.

    A tile consumes one group of activations and one group of weights a cycle in every column.
    Everything that differs between formats is here; decode unit, dot product, column and tile
    are written against this interface alone.

    Attributes
    ----------
    golden : golden.formats.Format
        Software half: name, sizes, packing.
    name : str
    lanes : int
        Elements of a group, which is the number of multipliers of a column.
    subgroup : int
        Elements of a subgroup: the lanes of one decode unit and one subgroup dot product.
    group : data.StructLayout
        The bus word of a group (format spec, section 6).
    activation_subgroup, weight_subgroup : data.StructLayout
        Decoded operands of one subgroup.
    multiplies : bool
        Whether subgroup sums or their sum are multiplied, which takes a stage of its own.
    delays : Mapping[str, int]
        Cycles that each part of a decoded operand trails its elements, at most
        :attr:`dot_latency`. What is needed later enters later: then it waits once, at the edge of
        the tile, and not in every column.
    product_bits : int
        Signed bits of a subgroup sum.
    significand_bits : int
        Signed bits of a group sum.
    exponent_bits : int
        Bits of the combined scale exponent.
    unit_exponent : int
        A group sum S with combined scale exponent e is worth S * 2**(e + unit_exponent).
    """

    name: str
    lanes: int
    subgroup: int
    group: data.StructLayout
    activation_subgroup: data.StructLayout
    weight_subgroup: data.StructLayout
    multiplies = False
    delays: Mapping[str, int]
    product_bits: int
    significand_bits: int
    exponent_bits: int
    unit_exponent: int

    @property
    def subgroups(self) -> int:
        """Subgroups of a group."""
        return self.lanes // self.subgroup

    @property
    def dot_latency(self) -> int:
        """Cycles from decoded elements to the sum of a group."""
        return 3 if self.multiplies else 2

    @property
    def activation(self) -> data.StructLayout:
        """Decoded activations of a group, as they travel from column to column."""
        return data.StructLayout(
            {
                "subgroups": data.ArrayLayout(self.activation_subgroup, self.subgroups),
                "scale": 8,
            }
        )

    @property
    def weight(self) -> data.StructLayout:
        """Decoded weights of a group, as a column holds them."""
        return data.StructLayout(
            {"subgroups": data.ArrayLayout(self.weight_subgroup, self.subgroups), "scale": 8}
        )

    @property
    def factor(self) -> data.StructLayout:
        """What a group's integer is multiplied by.

        Members
        -------
        exponent : unsigned(exponent_bits)
            Combined exponent of both scales.
        nan : unsigned(1)
            Either scale is NaN; the rest means nothing then.
        """
        return data.StructLayout({"exponent": self.exponent_bits, "nan": 1})

    def encoded(self, group: data.View, index: int) -> Value:
        """Return the bits of subgroup ``index`` of a bus word, as ``encoded_subgroup``."""
        raise NotImplementedError

    def decode_subgroup(self, m: Module, encoded: data.View, operand: data.View) -> None:
        """Decode one subgroup of activations, combinationally."""
        raise NotImplementedError

    def common_parts(self, group: data.View) -> dict[str, Value]:
        """Return the parts of :attr:`activation` that are taken from a bus word as they are."""
        return {"scale": group.scale}

    def decode_weight(self, m: Module, group: data.View) -> Value:
        """Return the bits of a bus word of weights as :attr:`weight`."""
        return group.as_value()

    def add_products(
        self, m: Module, heap: BitHeap, activation: data.View, weight: data.View
    ) -> None:
        """Add the dot product of one subgroup to a heap, before any multiplier."""
        raise NotImplementedError

    def combine_scales(self, m: Module, activation: data.View, weight: data.View) -> Value:
        """Return what a group is multiplied by, as :attr:`factor`."""
        raise NotImplementedError

    def multiplier(
        self, activation: data.View, weight: data.View, factors: list[data.View]
    ) -> Value | None:
        """Return what :meth:`add_group` multiplies by, one cycle after the elements.

        Parameters
        ----------
        activation, weight
            As :attr:`activation` and :attr:`weight`, their parts trailing by :attr:`delays`.
        factors
            As :attr:`factor`: registers that follow :meth:`combine_scales`, one a cycle.
        """
        return None

    def add_group(
        self, m: Module, heap: BitHeap, subgroups: list[tuple[Value, Value]], multiplier: Value
    ) -> None:
        """Add a group to a heap: its subgroup sums times their multipliers.

        Parameters
        ----------
        heap : BitHeap
            Of :attr:`significand_bits`.
        subgroups
            For every subgroup two rows that add up to its dot product plus
            ``2**(product_bits - 1)``, modulo ``2**product_bits``.
        multiplier
            From :meth:`multiplier`; None without.
        """
        raise NotImplementedError
