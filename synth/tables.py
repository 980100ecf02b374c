"""Results as tables on the screen and as JSON records."""

import dataclasses

from rich.console import Console
from rich.table import Table

__all__ = ["number", "print_results", "record"]


def number(value: float) -> str:
    """Format a figure: integers whole, others with two decimals below a hundred."""
    if value == int(value):
        return str(int(value))
    return f"{value:.2f}" if abs(value) < 100 else f"{value:.0f}"


def record(target: str, parameters: dict, result) -> dict:
    """Return the JSON record of a flow's result."""
    fields = dataclasses.asdict(result)
    unit = fields.pop("name")
    return {"unit": unit, "target": target, **parameters, "figures": result.figures, **fields}


def print_results(target: str, results: list) -> None:
    """Print the headline figures of some units on one target, then blocks and critical paths."""
    console = Console()
    table = _table(target, ["unit", *results[0].figures])
    for result in results:
        table.add_row(result.name, *(number(value) for value in result.figures.values()))
    console.print(table)
    for result in results:
        if getattr(result, "blocks", None):
            console.print(_blocks(target, result))
        if getattr(result, "placement", None):
            console.print(_placement(result))


def _table(title: str, columns: list[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    return table


def _blocks(target: str, result) -> Table:
    table = _table(f"{target}: blocks of {result.name}, NAND2", ["block", "NAND2", "share"])
    total = result.blocks[result.name]
    for block, area in sorted(result.blocks.items(), key=lambda item: _order(item[0])):
        depth = block.count(".")
        label = "  " * depth + block.rpartition(".")[2]
        table.add_row(label, number(area), f"{area / total:.1%}")
    return table


def _order(block: str) -> list[str]:
    return block.split(".")


def _placement(result) -> Table:
    placement = result.placement
    table = _table(f"{placement.device}: critical path of {result.name}", ["signal", "ns", "line"])
    time = 0.0
    for point in placement.path:
        time += point.delay_ns
        table.add_row(point.signal, f"{time:.2f}", " ".join(point.sources))
    used = ", ".join(f"{kind} {u}/{n}" for kind, (u, n) in placement.utilization.items())
    table.caption = f"used: {used}"
    return table
