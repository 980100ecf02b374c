"""Cycle counts of tile and core in closed form; the simulations are held to them exactly."""

from hdl.core import GemmCore
from hdl.tile import SystolicTile


def set_cycles(tile: SystolicTile, rows: int) -> int:
    """Return the cycles that one set of weights lasts when ``rows`` rows stream past it.

    The rows themselves, unless the next set takes longer to load, at one column a cycle, or
    the partial sums of the first row are not back yet.
    """
    return max(rows, tile.columns, tile.row_distance)


def operand_cycles(tile: SystolicTile, m: int, n: int, groups: int) -> int:
    """Return the cycles from the first to the last operand of a product, neither stream stalled.

    Parameters
    ----------
    tile : SystolicTile
    m, n : int
        Rows and output channels of the product.
    groups : int
        Groups along K.

    Returns
    -------
    int
        The first set loads, every set but the last lasts :func:`set_cycles`, the last one ends
        with its last row.
    """
    sets = groups * -(-n // tile.columns)
    full, rest = divmod(m, tile.rows)
    blocks = [tile.rows] * full + [rest] * bool(rest)
    total = sum(sets * set_cycles(tile, rows) for rows in blocks)
    return first_beat(tile) + total - set_cycles(tile, blocks[-1]) + blocks[-1]


def first_beat(tile: SystolicTile) -> int:
    """Return the cycle in which the first beat enters, the first weight having come in cycle 0."""
    return tile.columns


#: Cycles from the first status word of a command to the next command: ten words, and one idle.
STATUS_CYCLES = 11

#: Cycles of a command beside its check, its beats and the latency of the tile.
_COMMAND_LATENCY = 4


#: Cycles that the quantization engines add to a command.
QUANTIZE_LATENCY = 2


def command_cycles(core: GemmCore, m: int, n: int, groups: int, *, quantized: bool = False) -> int:
    """Return the ``busy`` count of a command, no stream ever stalled.

    Parameters
    ----------
    core : GemmCore
    m, n : int
        Rows and output channels of the command.
    groups : int
        Groups along K.
    quantized : bool
        Whether results leave as groups, else as FP32.

    Returns
    -------
    int
        A block of rows loads, one group a cycle, and only then streams past its sets of weights;
        the first set loads meanwhile. Then come the latency of the tile and the check of the
        command. Commands that are offered at once follow each other :data:`STATUS_CYCLES` later.
    """
    tile = core.tile
    sets = groups * -(-n // core.columns)
    full, rest = divmod(m, core.rows)
    blocks = [core.rows] * full + [rest] * bool(rest)
    total = max(blocks[0] * groups, core.columns - 1)
    for rows, following in zip(blocks, [*blocks[1:], 0], strict=True):
        # The last set of a block ends when the next block is there, or when it may end at all.
        last = max(rows + following * groups, set_cycles(tile, rows)) if following else rows
        total += (sets - 1) * set_cycles(tile, rows) + last
    total += tile.latency + core.rows.bit_length() + _COMMAND_LATENCY
    return total + QUANTIZE_LATENCY * quantized
