from collections.abc import Mapping

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data


def delayed(m: Module, value: Value, cycles: int, name: str, *, reset_less=False) -> Value:
    """Return a value that comes ``cycles`` later."""
    for stage in range(cycles):
        later = Signal.like(value, name=f"{name}_{stage}", reset_less=reset_less)
        m.d.sync += later.eq(value)
        value = later
    return value


def skewed(m: Module, operand: data.View, delays: Mapping[str, int]) -> Value:
    """Return an operand whose parts come later, each by its own number of cycles.

    Parameters
    ----------
    m : Module
        Where the registers go.
    operand : data.View
    delays : Mapping[str, int]
        Part -> cycles, for every part.
    """
    result = Signal(operand.shape())
    for part in operand.shape().members:
        later = delayed(m, operand[part], delays[part], part, reset_less=True)
        m.d.comb += result[part].eq(later)
    return result
