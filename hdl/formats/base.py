from collections.abc import Mapping

from amaranth.hdl import Module, Value
from amaranth.lib import data

from ..bit_heap import BitHeap
from ..fabric import Fabric


class Format:
    """Gateware half of a number format: what a systolic tile must know to compute with it.

    A tile consumes one group of activations and one group of weights a cycle in every column.
    Everything that differs between formats is here; decode unit, dot product, column and tile
    are written against this interface alone.

    Parameters
    ----------
    fabric : Fabric
        What its gateware is shaped for.

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
    decode_latency : int
        1 if decoding is too much for one cycle, else 0.
    part_delays : Mapping[str, int]
        As :attr:`delays`, in gates.
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
    decode_latency = 0
    part_delays: Mapping[str, int]
    product_bits: int
    significand_bits: int
    exponent_bits: int
    unit_exponent: int

    def __init__(self, *, fabric: Fabric = Fabric.GATES):
        if not isinstance(fabric, Fabric):
            raise TypeError(f"Fabric must be a member of Fabric, not {fabric!r}")
        self.fabric = fabric

    @property
    def subgroups(self) -> int:
        """Subgroups of a group."""
        return self.lanes // self.subgroup

    @property
    def _cuts(self) -> int:
        """Cycles added by cuts: after the products, and before a multiplication."""
        return self.fabric.cut * (2 if self.multiplies else 1)

    @property
    def dot_latency(self) -> int:
        """Cycles from decoded elements to the sum of a group."""
        return (3 if self.multiplies else 2) + self._cuts

    @property
    def delays(self) -> dict[str, int]:
        """Cycles that each part of a decoded operand trails its elements.

        What is needed later enters later: then it waits once, at the edge of the tile, and not in
        every column.
        """
        wait = self._cuts
        return {"subgroups": 0} | {part: wait + d for part, d in self.part_delays.items()}

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

    @property
    def searched_subgroup(self) -> data.StructLayout:
        """What :meth:`search` finds."""
        return self.encoded_subgroup

    def search(self, m: Module, encoded: data.View, searched: data.View) -> None:
        """First half of decoding one subgroup of activations; combinational."""
        m.d.comb += searched.eq(encoded)

    def decode_subgroup(self, m: Module, searched: data.View, operand: data.View) -> None:
        """Second half; combinational. It follows ``decode_latency`` cycles later in a tile."""
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
        """Return what :meth:`add_group` multiplies by, in the cycle in which that happens.

        Parameters
        ----------
        activation, weight
            As :attr:`activation` and :attr:`weight`, their parts trailing by :attr:`delays`.
        factors
            As :attr:`factor`: registers that follow :meth:`combine_scales`, one a cycle.
        """
        return None

    def add_group(self, m: Module, heap: BitHeap, subgroups: data.View, multiplier: Value) -> None:
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
