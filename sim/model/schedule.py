"""How the gateware does a layer: its order of loops, and the cycles that takes.

The core keeps a block of rows in its activation buffer, reuses it for every block of channels, and
streams the weights past it: the order of `ORDER`. The cycles are those of `sim.cycles`, to which
the simulations of the gateware are held.
"""

from dataclasses import replace
from functools import cache

from golden import InputError
from sim import cycles

from .machine import KIB, Machine
from .storage import FP32, Fallback
from .tiling import Buffers, Product, Tiling, Traffic, search, traffic

__all__ = [
    "LARGEST",
    "ORDER",
    "commands",
    "core_tiling",
    "core_traffic",
    "layer_cycles",
    "passes",
    "product_cycles",
    "shares",
]

#: Groups along K, then rows, then channels: activations stay, weights stream.
ORDER = "kmn"

#: Rows, channels or groups of a command: 16 bits.
LARGEST = 65535


def core_tiling(machine: Machine, format: str, product: Product) -> Tiling:
    """Return the tiling of least traffic that the gateware can do.

    Weights are streamed, so that two sets of them are all it buffers. A tile has at most the
    rows of the machine, and exactly its columns.

    Raises
    ------
    InputError
        If the activation buffer does not hold one group.
    """
    columns = machine.tile_columns(format)
    most = Tiling(ORDER, machine.rows, columns, LARGEST)
    unlimited = 2 * product.n * product.groups * int(product.weights + 1)
    buffers = Buffers(machine.activation_buffer * KIB, unlimited, machine.rows * columns * FP32)
    tiling = search(product, buffers, (ORDER,), most)
    if tiling is None:
        raise InputError(
            f"Activation buffer must hold a group of {product.activations:g} bits, "
            f"not {machine.activation_buffer} KiB"
        )
    # Of as many blocks, those of the machine's rows: they are one command then.
    rows = min(machine.rows, product.m)
    same = -(-product.m // tiling.m) == -(-product.m // rows)
    if same and rows * tiling.k * product.activations <= buffers.activations:
        tiling = replace(tiling, m=rows)
    return tiling


def core_traffic(product: Product, tiling: Tiling) -> Traffic:
    """Return what the gateware's order moves: sums leave between two commands in any case."""
    moved = traffic(product, tiling)
    partials = -(-product.groups // tiling.k) - 1
    more = 2 * FP32 * product.m * product.n * (partials - moved.partials)
    return replace(moved, partials=partials, bits=moved.bits + more)


def commands(machine: Machine, product: Product, tiling: Tiling) -> dict[tuple[int, int, int], int]:
    """Return (rows, channels, groups) of the core's commands for a product -> how many.

    A command has all rows if a block of the machine's rows fits the buffer, else those that fit.
    """
    fits = tiling.m >= min(product.m, machine.rows)
    rows = _cut(product.m, LARGEST // machine.rows * machine.rows if fits else tiling.m)
    channels = _cut(product.n, LARGEST // tiling.n * tiling.n)
    groups = _cut(product.groups, tiling.k)
    return {
        (m, n, k): rows[m] * channels[n] * groups[k] for m in rows for n in channels for k in groups
    }


def _cut(extent: int, most: int) -> dict[int, int]:
    """Return size -> number of parts of at most a size."""
    full, rest = divmod(extent, most)
    return ({most: full} if full else {}) | ({rest: 1} if rest else {})


@cache
def product_cycles(machine: Machine, format: str, m: int, n: int, groups: int, rows: int) -> int:
    """Return the cycles from a command with FP32 results to the next, for blocks of ``rows``."""
    core = machine.core(format, rows)
    return cycles.command_cycles(core, m, n, groups) + cycles.STATUS_CYCLES


def shares(fallback: Fallback) -> dict[tuple[int, int], float]:
    """Return (passes of weights, of activations) -> share of a layer's products.

    The 8-bit parts of both tensors meet each other as far as they can.
    """
    w, a = fallback.weights, fallback.activations
    found = {
        (1, 1): 1 - max(w, a),
        (2, 2): min(w, a),
        (2, 1): max(w - a, 0),
        (1, 2): max(a - w, 0),
    }
    return {kind: share for kind, share in found.items() if share}


def passes(fallback: Fallback) -> float:
    """Return the multiplications of 4 by 4 bits for each of the layer's."""
    return sum(share * w * a for (w, a), share in shares(fallback).items())


def layer_cycles(
    machine: Machine,
    format: str,
    product: Product,
    tiling: Tiling,
    fallback: Fallback,
    quantized: bool = False,
) -> float:
    """Return the cycles of a layer on the core, its commands back to back.

    Of several blocks along K only the last may give quantized results. 8-bit weights are two
    sets of weights, 8-bit activations enter twice, once for each half of their bits: what the
    gateware, which has no 8-bit elements, does for as many more groups and rows.
    """
    total = 0
    for (w, a), share in shares(fallback).items():
        for (m, n, k), times in commands(machine, product, tiling).items():
            work = (a * m, n, w * k, a * machine.rows)
            total += share * times * product_cycles(machine, format, *work)
    if quantized:
        last = commands(machine, replace(product, groups=min(product.groups, tiling.k)), tiling)
        total += sum(last.values()) * cycles.QUANTIZE_LATENCY
    return total
