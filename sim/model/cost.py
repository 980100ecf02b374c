"""What layers, blocks and networks cost, for a prompt of many tokens or for one more token."""

from dataclasses import dataclass, field

import golden.formats

from . import energy, schedule, storage
from .energy import Events, Range
from .machine import KIB, Machine
from .network import Layer, Network
from .storage import FP32, Fallback
from .tiling import Buffers, Product, Tiling, Traffic, search

__all__ = ["BOUNDS", "LayerCost", "Options", "Total", "block", "layer", "network"]

#: What a layer waits for: memory, the port that loads weights, or the multipliers.
BOUNDS = ("memory", "weight port", "array")


@dataclass(frozen=True)
class Options:
    """How a network is run.

    Attributes
    ----------
    format : str
        Name in `golden.formats`.
    fallback : dict
        Layer name -> `Fallback`; a layer that is missing has none.
    quantized : bool
        Whether results leave through the quantization engine, else as FP32.
    node : int
        Technology in nm, of `energy.NODES`.
    memory : str
        Of `energy.MEMORIES`.
    """

    format: str = "m2xfp"
    fallback: dict[str, Fallback] = field(default_factory=dict)
    quantized: bool = False
    node: int = 28
    memory: str = "dram"


@dataclass(frozen=True)
class Total:
    """Cost of one or several layers.

    Attributes
    ----------
    macs : int
        Multiply-accumulates of the network itself.
    cycles : float
        Cycles the array takes; whole without fallback.
    slots : float
        Multiply-accumulates the array could have done in them.
    bits : dict
        Off-chip traffic by kind: elements, scales and metadata of both operands, partial sums,
        results.
    seconds : float
        The longer of array and memory, layer by layer.
    joules : dict or None
        Kind of energy -> range; None if the format was not measured.
    """

    macs: int
    cycles: float
    slots: float
    bits: dict[str, float]
    seconds: float
    joules: dict[str, Range] | None

    @property
    def utilization(self) -> float:
        """Share of the multipliers' cycles that did the network's work."""
        return self.macs / self.slots

    @property
    def traffic(self) -> float:
        """Off-chip traffic in bytes."""
        return sum(self.bits.values()) / 8

    @property
    def energy(self) -> Range | None:
        """Joules of all kinds."""
        return self.joules and sum(self.joules.values(), Range(0, 0))

    def __add__(self, other: "Total") -> "Total":
        joules = None
        if self.joules is not None and other.joules is not None:
            joules = {kind: self.joules[kind] + other.joules[kind] for kind in self.joules}
        return Total(
            self.macs + other.macs,
            self.cycles + other.cycles,
            self.slots + other.slots,
            {kind: bits + other.bits[kind] for kind, bits in self.bits.items()},
            self.seconds + other.seconds,
            joules,
        )

    def __mul__(self, times: int) -> "Total":
        return Total(
            self.macs * times,
            self.cycles * times,
            self.slots * times,
            {kind: bits * times for kind, bits in self.bits.items()},
            self.seconds * times,
            self.joules and {kind: joules * times for kind, joules in self.joules.items()},
        )


@dataclass(frozen=True)
class LayerCost:
    """Cost of one layer, and how it is done.

    Attributes
    ----------
    layer : Layer
    total : Total
    bound : str
        Of `BOUNDS`.
    product : Product
        The layer as the search sees it.
    tiling : Tiling
        The gateware's order and blocks.
    moved : Traffic
        How often each tensor crosses the edge of the chip.
    """

    layer: Layer
    total: Total
    bound: str
    product: Product
    tiling: Tiling
    moved: Traffic

    def best(self, machine: Machine) -> Tiling | None:
        """Return the best tiling of any order for the machine's buffers."""
        buffers = Buffers(
            machine.activation_buffer * KIB,
            machine.weight_buffer * KIB,
            machine.result_buffer * KIB,
        )
        return search(self.product, buffers)


def layer(machine: Machine, layer: Layer, rows: int, options: Options) -> LayerCost:
    """Return the cost of a layer for a number of rows of activations.

    Raises
    ------
    InputError
        If the format cannot do it on this machine.
    """
    spec = golden.formats.get(options.format)
    spec.check_shape((layer.n, layer.k))
    if options.quantized:
        spec.check_shape((rows, layer.n))
    fallback = options.fallback.get(layer.name, Fallback())
    a = storage.operand(options.format, fallback.activations)
    w = storage.operand(options.format, fallback.weights)
    out = storage.results(options.format, options.quantized)
    groups = layer.k // spec.group
    product = Product(rows, layer.n, groups, a.bits, w.bits, out.bits / spec.group)
    tiling = schedule.core_tiling(machine, options.format, product)
    moved = schedule.core_traffic(product, tiling)
    bits = _bits(product, moved, a, w)
    cycles = schedule.layer_cycles(
        machine, options.format, product, tiling, fallback, options.quantized
    )
    compute, memory = cycles / machine.clock, sum(bits.values()) / 8 / machine.bandwidth
    events = _events(machine, product, moved, cycles, sum(bits.values()), fallback, options)
    total = Total(
        rows * layer.n * layer.k,
        cycles,
        cycles * machine.multipliers,
        bits,
        max(compute, memory),
        energy.joules(events, options.format, options.node, options.memory),
    )
    bound = _bound(machine, options.format, tiling, fallback, memory > compute)
    return LayerCost(layer, total, bound, product, tiling, moved)


def _bits(
    product: Product, moved: Traffic, a: storage.Operand, w: storage.Operand
) -> dict[str, float]:
    """Return the off-chip traffic by kind."""
    groups = {
        "activations": (moved.activations * product.m * product.groups, a),
        "weights": (moved.weights * product.n * product.groups, w),
    }
    bits = {
        f"{tensor} {kind}": times * getattr(operand, kind)
        for tensor, (times, operand) in groups.items()
        for kind in ("elements", "scales", "metadata")
    }
    bits["partial sums"] = 2 * FP32 * moved.partials * product.m * product.n
    bits["results"] = product.m * product.n * product.result
    return bits


def _events(
    machine: Machine,
    product: Product,
    moved: Traffic,
    cycles: float,
    off_chip: float,
    fallback: Fallback,
    options: Options,
) -> Events:
    """Return what costs energy."""
    spec = golden.formats.get(options.format)
    columns = machine.tile_columns(options.format)
    sets = product.groups * -(-product.n // columns)
    beats = product.m * sets * schedule.passes(fallback)
    weights = moved.weights * product.n * product.groups * product.weights
    return Events(
        column_cycles=cycles * columns,
        decodes=beats * (spec.group // spec.subgroup),
        quantized=product.m * product.n / spec.group * options.quantized,
        small=beats * columns * 2 * FP32,
        # Activations are read once a beat, weights go in and out once.
        buffer=beats * product.activations + 2 * weights,
        off_chip=off_chip,
    )


def _bound(machine: Machine, format: str, tiling: Tiling, fallback: Fallback, memory: bool) -> str:
    if memory:
        return BOUNDS[0]
    # A set of weights takes a cycle a column to load, behind the rows of the set before.
    rows = tiling.m * (1 + (fallback.activations > 0))
    return BOUNDS[1] if rows < machine.tile_columns(format) else BOUNDS[2]


def block(machine: Machine, net: Network, rows: int, options: Options) -> list[LayerCost]:
    """Return the cost of every layer of a block."""
    return [layer(machine, part, rows, options) for part in net.layers]


def network(costs: list[LayerCost], blocks: int = 1) -> Total:
    """Return the cost of some blocks of layers."""
    total = costs[0].total
    for cost in costs[1:]:
        total += cost.total
    return total * blocks
