"""Area of a tile against its number of columns, with equal columns mapped once."""

import re

from hdl import export, formats
from hdl.tile import SystolicTile

from . import netlist, yosys
from .flows import generic

__all__ = ["COLUMNS", "merge_columns", "tile_areas", "tile_rtlil"]

#: Columns of the tiles that the report compares.
COLUMNS = (1, 2, 4, 8, 16, 32)

_MODULE = re.compile(r"^(?:attribute [^\n]*\n)*module \\(\S+)\n.*?^end\n", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"([^.]+\.[a-z]+_)\d+(?=\.|$)")


def merge_columns(rtlil: str) -> str:
    """Make equal modules of different columns one module with several instances.

    Modules are taken as equal only if their text is, but for the number of the column, so what is
    counted is what was generated. The hierarchy has to be kept when the result is mapped.
    """
    first = {}
    same = {}
    kept = []
    for match in _MODULE.finditer(rtlil):
        text, name = match[0], match[1]
        column = _COLUMN.match(name)
        if column:
            # Two modules are one if their names and texts agree without the column's number.
            anonymous = column[1] + name[column.end() :], text.replace(column[0], column[1])
            same[name] = first.setdefault(anonymous, name)
        if same.get(name, name) == name:
            kept.append(text)
    head = rtlil[: _MODULE.search(rtlil).start()]
    return head + re.sub(
        r"^(\s*cell \\)(\S+)",
        lambda cell: cell[1] + same.get(cell[2], cell[2]),
        "".join(kept),
        flags=re.MULTILINE,
    )


def tile_rtlil(format_name: str, columns: int, rows: int) -> str:
    """RTLIL of a tile whose equal columns are merged."""
    tile = SystolicTile(formats.get(format_name), columns=columns, rows=rows)
    return merge_columns(export.rtlil(tile, "tile"))


def tile_areas(rtlil: str) -> dict[str, float]:
    """Estimated NAND2 equivalents of a tile in generic gates, by kind of block.

    Returns
    -------
    dict
        Name of each block below the top, without the number of its column -> area of all its
        instances; ``total`` -> area of the tile.
    """
    with yosys.workspace(None) as folder:
        modules = generic.map_blocks(rtlil, "tile", folder)
    areas = netlist.subtotals(modules, generic.nand2)
    blocks = {"total": areas["tile"]}
    for child, count in modules["tile"].children.items():
        kind = re.sub(r"_\d+$", "", child.removeprefix("tile."))
        blocks[kind] = blocks.get(kind, 0) + count * areas[child]
    return blocks
