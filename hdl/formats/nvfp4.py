from types import MappingProxyType

from amaranth.hdl import Cat, Module, Value
from amaranth.lib import data

from ..bit_heap import BitHeap
from ..bits import named
from .mxfp4 import Mxfp4


class Nvfp4(Mxfp4):
    """NVFP4: groups of 16 E2M1 elements with one E4M3 scale (format spec, section 8).

    A group sum counts quarters and is at most 2304 in magnitude; the product of the two scales'
    significands is at most 225. The FP32 scale of a tensor is for whoever uses the results.
    """

    name = "nvfp4"
    lanes = 16
    significand_bits = 20
    exponent_bits = 5
    # E4M3 is significand * 2**(exponent - 10).
    unit_exponent = -2 * 10 - 2
    multiplies = True
    part_delays = MappingProxyType({"scale": 0})

    @property
    def factor(self) -> data.StructLayout:
        """What a group's integer is multiplied by.

        Members
        -------
        exponent : unsigned(5)
            Sum of both scales' exponents.
        nan : unsigned(1)
            Either scale is NaN; the rest means nothing then.
        multiplier : unsigned(8)
            Product of both scales' significands.
        """
        return data.StructLayout({**super().factor.members, "multiplier": 8})

    def combine_scales(self, m: Module, activation: data.View, weight: data.View) -> Value:
        """Add the exponents of two E4M3 codes and multiply their significands.

        The sign bit of a scale is not looked at; 127 in either is NaN.
        """
        codes = [activation.scale[:7], weight.scale[:7]]
        left, right = ((code[3:], Cat(code[:3], code[3:].any())) for code in codes)
        # A subnormal has the exponent of the least normal.
        exponents = [exponent | ~hidden[3] for exponent, hidden in (left, right)]
        nan = codes[0].all() | codes[1].all()
        return Cat((exponents[0] + exponents[1])[:5], nan, left[1] * right[1])

    def multiplier(
        self, activation: data.View, weight: data.View, factors: list[data.View]
    ) -> Value:
        """Return the product of the scales' significands."""
        return factors[0].multiplier

    def add_group(self, m: Module, heap: BitHeap, subgroups: data.View, multiplier: Value) -> None:
        """Add the sum of all subgroups times the significands' product, in units of 1/4."""
        bits = self.product_bits + (self.subgroups - 1).bit_length()
        group = self.fabric.heap(m, bits)
        super().add_group(m, group, subgroups, None)
        total = self.fabric.halves(m, named(m, "total", group.total()), "total")
        for position, bit in enumerate(multiplier):
            heap.add((total & bit.replicate(bits)).as_signed(), position)
