from amaranth.hdl import Module, Mux, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ..bits import named
from .exponents import at_least_two, distance
from .rounding import aligned_layout
from .unpack import lane_layout


class Align(wiring.Component):
    """Relates values to the largest exponent of their group. Combinational.

    Parameters
    ----------
    lanes : int
    significand_bits : int

    Attributes
    ----------
    values : In(ArrayLayout(lane_layout(significand_bits), lanes))
    largest : In(8)
        Largest exponent of the group, in FP32's bias.
    aligned : Out(ArrayLayout(aligned_layout(significand_bits), lanes))
    """

    def __init__(self, lanes: int, significand_bits: int):
        super().__init__(
            {
                "values": In(data.ArrayLayout(lane_layout(significand_bits), lanes)),
                "largest": In(8),
                "aligned": Out(data.ArrayLayout(aligned_layout(significand_bits), lanes)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        reference = at_least_two(m, self.largest)
        nan = named(m, "nan", self.largest.all())
        for i, (value, aligned) in enumerate(zip(self.values, self.aligned, strict=True)):
            m.d.comb += [
                aligned.significand.eq(value.significand),
                aligned.distance.eq(distance(m, reference, value.exponent, nan, f"distance_{i}")),
                aligned.sign.eq(value.sign),
            ]
        return m


def scale_code(largest: Value) -> Value:
    """Return the E8M0 code of a group from the largest exponent of its elements.

    E + 127 = largest - 2, not below 0; 255 for a group with a NaN or an infinity.
    """
    return lowest_code((largest - 2)[:8], largest) | largest.all().replicate(8)


def lowest_code(code: Value, largest: Value) -> Value:
    """Return the scale code, or 0 for a group whose largest exponent is below 2."""
    return Mux(largest[1:].any(), code, 0)
