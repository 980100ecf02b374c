"""Harnesses around every block with a stream; their inputs are free.

One payload, whichever the solver likes, is marked; all others are not. The mark has to come out
exactly as many payloads later as were inside when it entered. Payloads do not steer the blocks,
so what holds for the marked one holds for all.
"""

from collections.abc import Iterable

from amaranth.hdl import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Member, Out


def flags(bad: Iterable[str], covers: Iterable[str]) -> dict[str, Member]:
    """Return the outputs of a harness: what must never be so, and what must be possible."""
    names = [*(f"bad_{name}" for name in bad), *(f"cover_{name}" for name in covers)]
    return {name: Out(1) for name in names}


class Harness(wiring.Component):
    """What harnesses share: the watch over what goes in and comes out.

    Attributes
    ----------
    offer, mark, take : In(1)
        An input is valid; it is the marked one; the output is ready.
    assume : Out(1)
    bad_order, bad_surplus, bad_unstable, bad_stuck : Out(1)
    cover_mark, cover_stall, cover_full : Out(1)
    """

    #: Most payloads inside, and cycles in which something must move while both sides are willing.
    depth = 8
    patience = 8

    def __init__(self, **members):
        flags = ("order", "surplus", "unstable", "stuck")
        seen = ("mark", "stall", "full")
        super().__init__(
            {
                **{name: In(1) for name in ("offer", "mark", "take")},
                "assume": Out(1),
                **{f"bad_{name}": Out(1) for name in flags},
                **{f"cover_{name}": Out(1) for name in seen},
                **members,
            }
        )

    def watch(self, m: Module, entering, leaving, found, *, per_output=1, assuming=1):
        """Check order and number.

        Parameters
        ----------
        entering, leaving : Value
            Whether something enters or leaves in this cycle.
        found : list of Value
            For each unit that leaves together, whether it has the mark.
        per_output : int
            Units that leave together.
        assuming : Value
            What else the inputs obey.

        Returns
        -------
        pending, ahead : Value
            Whether the marked one is inside, and how many are before it.
        """
        inside = Signal(range(self.depth + 2))
        ahead = Signal(range(self.depth + 2))
        marked, out = Signal(), Signal()
        marks = entering & self.mark
        m.d.comb += self.assume.eq(assuming & (~self.mark | ~marked))
        m.d.sync += inside.eq(inside + entering - Mux(leaving, per_output, 0))
        with m.If(marks):
            m.d.sync += [marked.eq(1), ahead.eq(inside - Mux(leaving, per_output, 0))]
        pending = marked & ~out
        with m.If(leaving & pending):
            with m.If(ahead < per_output):
                m.d.sync += out.eq(1)
            with m.Else():
                m.d.sync += ahead.eq(ahead - per_output)
        wrong = [mark != (pending & (ahead == index)) for index, mark in enumerate(found)]
        m.d.comb += [
            self.bad_order.eq(leaving & Cat(wrong).any()),
            self.bad_surplus.eq((leaving & (inside < per_output)) | (inside > self.depth)),
            self.cover_mark.eq(leaving & pending & (ahead == 0)),
            self.cover_full.eq(inside == self.depth),
        ]
        return pending, ahead

    def watch_output(self, m: Module, valid, ready, payload) -> None:
        """Check that a payload holds still while it waits."""
        waited, held = Signal(), Signal(len(Value.cast(payload)))
        m.d.sync += [waited.eq(valid & ~ready), held.eq(payload)]
        m.d.comb += [
            self.bad_unstable.eq(waited & (~valid | (held != payload))),
            self.cover_stall.eq(waited & valid),
        ]

    def watch_progress(self, m: Module, willing, moved) -> None:
        """Check that something moves while both sides are willing."""
        idle = Signal(range(self.patience + 1))
        m.d.sync += idle.eq(Mux(willing & ~moved & (idle < self.patience), idle + 1, 0))
        m.d.comb += self.bad_stuck.eq(idle == self.patience)
