"""How the gateware does a layer: its order of loops, and the cycles that takes.

The core keeps a block of rows in its activation buffer, reuses it for every block of channels, and
streams the weights past it: the order of `ORDER`. The cycles are those of `sim.cycles`, to which
the simulations of the gateware are held.
"""

from golden import InputError
from sim import cycles

from .machine import KIB, Machine
from .network import Layer
from .storage import FP32, Fallback
from .tiling import Buffers, Product, Tiling, search

__all__ = ["ORDER", "core_tiling", "layer_cycles", "passes", "product_cycles", "shares"]

#: Groups along K, then rows, then channels: activations stay, weights stream.
ORDER = "kmn"


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
    most = Tiling(ORDER, machine.rows, columns, product.groups)
    unlimited = 2 * product.n * product.groups * int(product.weights + 1)
    buffers = Buffers(machine.activation_buffer * KIB, unlimited, machine.rows * columns * FP32)
    tiling = search(product, buffers, (ORDER,), most)
    if tiling is None:
        raise InputError(
            f"Activation buffer must hold a group of {product.activations:g} bits, "
            f"not {machine.activation_buffer} KiB"
        )
    return tiling


def product_cycles(machine: Machine, format: str, m: int, n: int, groups: int, rows: int) -> int:
    """Return the cycles of a product whose rows are done ``rows`` at a time."""
    return cycles.operand_cycles(machine.tile(format, rows), m, n, groups)


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
    layer: Layer,
    m: int,
    groups: int,
    tiling: Tiling,
    fallback: Fallback,
) -> float:
    """Return the cycles of a layer of M rows in the gateware's order.

    Each block of groups is a product of its own. 8-bit weights are two sets of weights, 8-bit
    activations enter twice, once for each half of their bits.
    """
    full, rest = divmod(groups, tiling.k)
    blocks = [(full, tiling.k)] + [(1, rest)] * bool(rest)
    return sum(
        share * times * product_cycles(machine, format, a * m, layer.n, w * block, a * tiling.m)
        for (w, a), share in shares(fallback).items()
        for times, block in blocks
    )
