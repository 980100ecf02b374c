from amaranth.hdl import signed
from amaranth.lib import data

from .formats import Format


def term_layout(format: Format) -> data.StructLayout:
    """Return the layout of a group's contribution to a partial sum.

    Members
    -------
    significand : signed(format.significand_bits)
    exponent : unsigned(format.exponent_bits)
        The term is worth ``significand * 2**(exponent + format.unit_exponent)``.
    nan : unsigned(1)
        A scale is NaN; the rest means nothing then.
    """
    return data.StructLayout(
        {
            "significand": signed(format.significand_bits),
            "exponent": format.exponent_bits,
            "nan": 1,
        }
    )
