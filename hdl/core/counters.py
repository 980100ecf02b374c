from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .layouts import Flags, Status


def event_layout(columns: int) -> data.StructLayout:
    """Return what happens in a cycle.

    Members
    -------
    busy, stalled_activations, stalled_weights, stalled_c, stalled_results : unsigned(1)
        One more cycle of that kind.
    entered : unsigned(1)
        A group of activations entered the tile.
    channels : range(columns + 1)
        For so many channels.
    nans : range(columns + 1)
        So many NaN sums left it.
    flags : Flags
        Flags to set.
    """
    return data.StructLayout(
        {
            "busy": 1,
            "stalled_activations": 1,
            "stalled_weights": 1,
            "stalled_c": 1,
            "stalled_results": 1,
            "entered": 1,
            "channels": range(columns + 1),
            "nans": range(columns + 1),
            "flags": Flags,
        }
    )


class Counters(wiring.Component):
    """Counts the events of a command. Latency 1 cycle, from an event to ``record``.

    Parameters
    ----------
    lanes : int
        Multiply-accumulates of a group in a channel.
    columns : int

    Attributes
    ----------
    clear : In(1)
        Begin anew.
    events : In(event_layout(columns))
    record : Out(Status)
        Tag and refusal are left zero.
    """

    def __init__(self, *, lanes: int, columns: int):
        self._lanes = lanes
        super().__init__(
            {"clear": In(1), "events": In(event_layout(columns)), "record": Out(Status)}
        )

    def elaborate(self, platform):
        m = Module()
        events, record = self.events, self.record
        flags = Signal(Flags)
        channels = Signal(64 - (self._lanes - 1).bit_length())
        counts = {
            "busy": events.busy,
            "stalled_activations": events.stalled_activations,
            "stalled_weights": events.stalled_weights,
            "stalled_c": events.stalled_c,
            "stalled_results": events.stalled_results,
            "groups": events.entered,
            "nan_results": events.nans,
        }
        for name, amount in counts.items():
            count = Signal(32, name=name)
            m.d.comb += record[name].eq(count)
            with m.If(self.clear):
                m.d.sync += count.eq(0)
            with m.Else():
                m.d.sync += count.eq(count + amount)
        m.d.comb += [record.flags.eq(flags), record.macs.eq(channels * self._lanes)]
        with m.If(self.clear):
            m.d.sync += [flags.eq(0), channels.eq(0)]
        with m.Else():
            m.d.sync += flags.eq(flags.as_value() | events.flags.as_value())
            with m.If(events.entered):
                m.d.sync += channels.eq(channels + events.channels)
        return m
