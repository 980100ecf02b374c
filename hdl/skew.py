from collections.abc import Mapping

from amaranth.hdl import Module, Signal, Value
from amaranth.lib import data


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
        value = operand[part]
        for stage in range(delays[part]):
            later = Signal.like(value, name=f"{part}_{stage}", reset_less=True)
            m.d.sync += later.eq(value)
            value = later
        m.d.comb += result[part].eq(value)
    return result
