"""The machine that is modelled: array, clock, buffers, memory."""

from dataclasses import dataclass
from functools import cache

import golden.formats
from golden import InputError
from hdl import formats
from hdl.core import GemmCore

__all__ = ["KIB", "Machine", "stand_in"]

#: Bits of a KiB.
KIB = 8 * 1024


def stand_in(format: str) -> str:
    """Return the format itself, or one of the same group that has gateware, for its cycles.

    Raises
    ------
    InputError
        If no gateware has groups of that size.
    """
    if format in formats.names():
        return format
    group = golden.formats.get(format).group
    same = [name for name in formats.names() if golden.formats.get(name).group == group]
    if not same:
        raise InputError(f"No gateware has groups of {group}, as {format} has")
    return same[0]


@dataclass(frozen=True)
class Machine:
    """A core and its memory.

    Attributes
    ----------
    lanes, columns : int
        Size of the array; lanes x columns multipliers. A format whose groups are not of that
        many lanes gets as many multipliers in another number of columns.
    rows : int
        Rows of partial sums a column keeps.
    clock : float
        Hz.
    bandwidth : float
        Bytes a second to and from memory.
    activation_buffer, weight_buffer, result_buffer : int
        KiB on chip. The gateware's order uses the first and the columns' own partial sums; all
        three limit the search for the best order.
    """

    lanes: int = 32
    columns: int = 32
    rows: int = 128
    clock: float = 500e6
    bandwidth: float = 25.6e9
    activation_buffer: int = 144
    weight_buffer: int = 144
    result_buffer: int = 36

    @property
    def multipliers(self) -> int:
        """Multiply-accumulates a cycle."""
        return self.lanes * self.columns

    def tile_columns(self, format: str) -> int:
        """Return the columns that a format gets.

        Raises
        ------
        InputError
            If the multipliers do not make whole columns.
        """
        group = golden.formats.get(format).group
        if self.multipliers % group:
            raise InputError(
                f"Array must be of whole columns of {group} lanes for {format}, "
                f"not {self.lanes}x{self.columns}"
            )
        return self.multipliers // group

    def core(self, format: str, rows: int) -> GemmCore:
        """Return the core of a format, with blocks of a number of rows.

        Raises
        ------
        InputError
            If there is no such core.
        """
        try:
            return _core(stand_in(format), self.tile_columns(format), rows)
        except ValueError as error:
            raise InputError(str(error)) from None


@cache
def _core(format: str, columns: int, rows: int) -> GemmCore:
    # The depth of the buffer takes no part in cycles; schedules are made to fit it.
    return GemmCore(formats.get(format), columns=columns, rows=rows, buffer_groups=2)
