"""Tables of costs, the same on the screen and in the report."""

from . import storage
from .cost import LayerCost, Total, network
from .energy import Range
from .machine import Machine

__all__ = ["Table", "buffers", "digits", "energy", "layers", "markdown", "text", "traffic"]

#: Rows of cells, the titles first.
Table = list[list[str]]

LAYER_TITLES = [
    "layer", "N", "K", "cycles", "utilization", "activations MB", "weights MB", "partial sums MB",
    "results MB", "time ms", "bound by", "energy mJ",
]  # fmt: skip


def digits(value: float) -> str:
    """Format a number with three digits."""
    if value == 0:
        return "0"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def energy(joules: Range | None, unit: float) -> str:
    """Format a range of joules in a unit of that many joules."""
    if joules is None:
        return "not measured"
    low, high = digits(joules.low / unit), digits(joules.high / unit)
    return low if low == high else f"{low} to {high}"


def _megabytes(total: Total, tensor: str) -> str:
    return digits(sum(bits for kind, bits in total.bits.items() if tensor in kind) / 8e6)


def _cells(total: Total, bound: str) -> list[str]:
    return [
        f"{total.cycles:.0f}",
        f"{total.utilization:.1%}",
        *(_megabytes(total, name) for name in ("activations", "weights", "partial", "results")),
        digits(total.seconds * 1e3),
        bound,
        energy(total.energy, 1e-3),
    ]


def layers(costs: list[LayerCost], blocks: int) -> Table:
    """Return a row for every layer, for the block and for the network."""
    rows = [
        [cost.layer.name, str(cost.layer.n), str(cost.layer.k), *_cells(cost.total, cost.bound)]
        for cost in costs
    ]
    rows.append(["block", "", "", *_cells(network(costs), "")])
    rows.append([f"{blocks} blocks", "", "", *_cells(network(costs, blocks), "")])
    return [LAYER_TITLES, *rows]


def traffic(total: Total) -> Table:
    """Return the off-chip traffic by kind, with its share."""
    return [
        ["traffic", "MB", "share"],
        *(
            [kind, digits(bits / 8e6), f"{bits / 8 / total.traffic:.1%}"]
            for kind, bits in total.bits.items()
        ),
    ]


def buffers(machine: Machine, costs: list[LayerCost], format: str) -> Table:
    """Return the bytes on chip that the gateware's order needs, the most of all layers."""
    columns = machine.tile_columns(format)
    group = storage.operand(format).bits
    held = max(cost.tiling.m * cost.tiling.k * cost.product.activations for cost in costs)
    return [
        ["on chip", "KiB"],
        ["activations of one block", digits(held / 8 / 1024)],
        ["two sets of weights", digits(2 * columns * group / 8 / 1024)],
        ["partial sums of all columns", digits(machine.rows * columns * storage.FP32 / 8 / 1024)],
    ]


def text(table: Table) -> str:
    """Return a table for the screen, names to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
    return "\n".join(lines)


def markdown(table: Table) -> str:
    """Return a table for the report."""
    rule = ["---", *["---:"] * (len(table[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [table[0], rule, *table[1:]])
