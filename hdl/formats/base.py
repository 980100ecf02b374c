from amaranth.hdl import Module, Value
from amaranth.lib import data


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
    product_bits: int
    significand_bits: int
    exponent_bits: int
    unit_exponent: int

    @property
    def subgroups(self) -> int:
        """Subgroups of a group."""
        return self.lanes // self.subgroup

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

    def decode_subgroup(self, m: Module, encoded: data.View, operand: data.View) -> None:
        """Decode one subgroup of activations, combinationally."""
        raise NotImplementedError

    def decode_weights(self, encoded: data.View, operand: data.View) -> list:
        """Return the statements that wire a group of weights to the form a column holds."""
        raise NotImplementedError

    def subgroup_sum(self, m: Module, activation: data.View, weight: data.View) -> Value:
        """Return the exact dot product of one subgroup, before any weight multiplier."""
        raise NotImplementedError

    def scaled(self, m: Module, total: Value, weight: data.View) -> Value:
        """Return a subgroup sum times the weight multiplier of its subgroup."""
        raise NotImplementedError

    def combine_scales(self, activation: Value, weight: Value) -> tuple[Value, Value]:
        """Return the combined scale exponent and whether either scale is NaN."""
        raise NotImplementedError
