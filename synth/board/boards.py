"""Boards that ``m2xfp build`` knows, and the circuit that goes on them."""

from collections.abc import Callable
from dataclasses import dataclass

from amaranth.build.plat import Platform
from amaranth.hdl import Elaboratable, Module
from amaranth.lib import io

from hdl.board import BoardTop

__all__ = ["BOARDS", "Board", "Circuit"]


@dataclass(frozen=True)
class Board:
    """A board.

    Attributes
    ----------
    platform : callable
        Makes its platform of amaranth-boards, which is imported only then.
    frequency : int
        Of its clock, in Hz.
    bitstream : str
        Suffix of its bitstream.
    cells : str
        Name that nextpnr gives to its LUTs.
    defaults : dict
        Parameters of the core: format, columns, rows, buffer_groups.
    """

    platform: Callable[[], Platform]
    frequency: int
    bitstream: str
    cells: str
    defaults: dict


def _ulx3s() -> Platform:
    from amaranth_boards.ulx3s import ULX3S_85F_Platform

    return ULX3S_85F_Platform()


def _icebreaker() -> Platform:
    from amaranth_boards.icebreaker import ICEBreakerPlatform

    return ICEBreakerPlatform()


#: Board by name.
BOARDS = {
    "ulx3s-85f": Board(
        _ulx3s,
        25_000_000,
        "bit",
        "TRELLIS_COMB",
        {"format": "m2xfp", "columns": 2, "rows": 16, "buffer_groups": 256},
    ),
    "icebreaker": Board(
        _icebreaker,
        12_000_000,
        "bin",
        "ICESTORM_LC",
        # A format of larger groups does not fit: docs/board.md.
        {"format": "nvfp4", "columns": 1, "rows": 2, "buffer_groups": 16},
    ),
}


class Circuit(Elaboratable):
    """A `BoardTop` on the UART pins of a platform, clocked by its default clock."""

    def __init__(self, top: BoardTop):
        self._top = top

    def elaborate(self, platform):
        """Connect the pins."""
        m = Module()
        m.submodules.top = self._top
        uart = platform.request("uart", 0, dir="-")
        m.submodules.rx = rx = io.Buffer("i", uart.rx)
        m.submodules.tx = tx = io.Buffer("o", uart.tx)
        m.d.comb += [self._top.rx.eq(rx.i), tx.o.eq(self._top.tx)]
        return m
