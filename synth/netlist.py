"""What Yosys says a netlist is made of, and the check that none of it is a black box."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from .yosys import SynthesisError

__all__ = ["Module", "check_cells", "flat", "read_statistics", "subtotals"]


@dataclass(frozen=True)
class Module:
    """One module of a netlist.

    Members
    -------
    cells
        Cell type -> count, without instances of other modules.
    children
        Module name -> number of instances.
    """

    cells: dict[str, int]
    children: dict[str, int]


def read_statistics(file: Path, top: str) -> dict[str, Module]:
    """Read what ``stat -json`` wrote.

    Returns
    -------
    dict
        Module name -> `Module`, the top module included.

    Raises
    ------
    SynthesisError
        If the top module is not there.
    """
    modules = {
        name.removeprefix("\\"): body["num_cells_by_type"]
        for name, body in json.loads(file.read_text())["modules"].items()
    }
    if top not in modules:
        raise SynthesisError(f"The netlist has no module {top!r}")
    return {
        name: Module(
            {kind: count for kind, count in cells.items() if kind not in modules},
            {kind: count for kind, count in cells.items() if kind in modules},
        )
        for name, cells in modules.items()
    }


def check_cells(modules: Mapping[str, Module], known: Collection[str]) -> None:
    """Fail if any cell is not of a known type: an unmapped cell or a black box hides area."""
    for name, module in modules.items():
        for kind in module.cells:
            if kind not in known:
                raise SynthesisError(
                    f"Module {name!r} has a cell {kind!r} that is not a cell of the target"
                )


def flat(modules: Mapping[str, Module], name: str) -> Counter[str]:
    """Cell type -> count of a module and all below it."""
    cells = Counter(modules[name].cells)
    for child, count in modules[name].children.items():
        for kind, number in flat(modules, child).items():
            cells[kind] += count * number
    return cells


def subtotals(
    modules: Mapping[str, Module], cost: Callable[[Mapping[str, int]], float]
) -> dict[str, float]:
    """Cost of every module with all below it, by module name."""
    return {name: cost(flat(modules, name)) for name in modules}
