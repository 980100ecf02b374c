"""Cycle counts of the systolic tile in closed form; the simulations are held to them exactly."""

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
