"""docs/performance.md and its pictures: a function of the model alone."""

from pathlib import Path

import golden.formats
from golden.atomic import replacing

from . import cost, energy, network, tables
from .machine import Machine
from .storage import Fallback
from .tiling import traffic

__all__ = ["machine_lines", "orders", "page", "write"]

TOKENS = 2048
FORMATS = ("m2xfp", "mxfp4", "nvfp4", "m2xfp_sg")
NETWORK = "llama3_8b"

#: The paper's speedup over MicroScopiQ, and the share of 8-bit products it stands for.
CLAIM = 1.91
CLAIMED_SHARE = (CLAIM - 1) / 3
SHARES = (0, 0.1, 0.2, CLAIMED_SHARE, 0.5, 1)

#: Rows of activations in the roofline.
BATCHES = (1, 4, 16, 64, 2048)

#: Memory bandwidths, in bytes a second: more and less than the weight port takes.
FAST, SLOW = 25.6e9, 6.4e9

_TEMPLATE = Path(__file__).with_name("performance.md")


def write(folder: Path) -> None:
    """Write the page and its pictures."""
    folder.mkdir(exist_ok=True)
    files = {"performance.md": page().encode(), **pictures_of()}
    for name, content in files.items():
        with replacing(folder / name) as stream:
            stream.write(content)
        print(folder / name)


def page() -> str:
    """Return the text of the page."""
    machine, options = Machine(), cost.Options()
    net = network.load(NETWORK)
    prefill, decode = (cost.block(machine, net, rows, options) for rows in (TOKENS, 1))
    parts = {
        "machine": machine_lines(machine, options),
        "networks_prefill": tables.markdown(networks(machine, TOKENS)),
        "networks_decode": tables.markdown(networks(machine, 1)),
        "layers_prefill": tables.markdown(tables.layers(prefill, net.blocks)),
        "layers_decode": tables.markdown(tables.layers(decode, net.blocks)),
        "traffic_prefill": tables.markdown(tables.traffic(cost.network(prefill, net.blocks))),
        "traffic_decode": tables.markdown(tables.traffic(cost.network(decode, net.blocks))),
        "batches": tables.markdown(batches(net)),
        "energy": tables.markdown(energies(net)),
        "buffers": tables.markdown(tables.buffers(machine, prefill, options.format)),
        "formats_prefill": tables.markdown(formats(net, TOKENS)),
        "formats_decode": tables.markdown(formats(net, 1)),
        "fallback": tables.markdown(fallback(net)),
        "orders": tables.markdown(orders(machine, prefill)),
        "columns": tables.markdown(columns()),
        "nodes": tables.markdown(nodes()),
        "share": f"{CLAIMED_SHARE:.4f}",
        "port": f"{machine.clock * golden.formats.get('m2xfp').word_bits / 8e9:g}",
    }
    text = _TEMPLATE.read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace(f"@{name}@", part)
    return text


def machine_lines(machine: Machine, options: cost.Options) -> str:
    """Return what is modelled, in a few lines."""
    spec = golden.formats.get(options.format)
    extra = (spec.scale_bits / spec.group, spec.metadata_bits / spec.group)
    columns = machine.tile_columns(options.format)
    rate = machine.multipliers * machine.clock
    return "\n".join(
        [
            f"format   {spec.name}: {spec.bits_per_element:g} bits an element, of which "
            f"{extra[0]:g} scales and {extra[1]:g} metadata",
            f"array    {columns} columns of {spec.group} lanes, {machine.rows} rows, at "
            f"{machine.clock / 1e6:g} MHz: {rate / 1e9:g} GMAC/s",
            f"memory   {machine.bandwidth / 1e9:g} GB/s, energy of {options.memory}; "
            f"logic and buffers at {options.node} nm",
            f"buffers  {machine.activation_buffer} KiB activations, "
            f"{machine.weight_buffer} KiB weights, {machine.result_buffer} KiB results",
        ]
    )


def networks(machine: Machine, rows: int) -> tables.Table:
    """Return a row for every network that is built in."""
    found = [
        [
            "network",
            "GMAC",
            "cycles",
            "utilization",
            "traffic MB",
            "seconds",
            "tokens/s",
            "energy J",
        ]
    ]
    for name in network.names():
        net = network.load(name)
        total = cost.network(cost.block(machine, net, rows, cost.Options()), net.blocks)
        found.append(
            [
                net.name,
                tables.digits(total.macs / 1e9),
                f"{total.cycles:.0f}",
                f"{total.utilization:.1%}",
                tables.digits(total.traffic / 1e6),
                tables.digits(total.seconds),
                tables.digits(rows / total.seconds),
                tables.energy(total.energy, 1),
            ]
        )
    return found


def _total(net: network.Network, rows: int, format: str, share: float = 0, **machine) -> cost.Total:
    options = cost.Options(format, {layer.name: Fallback(share, share) for layer in net.layers})
    return cost.network(cost.block(Machine(**machine), net, rows, options), net.blocks)


def formats(net: network.Network, rows: int) -> tables.Table:
    """Return a row for every format, without fallback and at equal numbers of multipliers."""
    found = [
        [
            "format",
            "bits an element",
            "seconds",
            f"at {SLOW / 1e9:g} GB/s",
            "traffic MB",
            "energy J",
        ]
    ]
    for format in FORMATS:
        fast = _total(net, rows, format)
        found.append(
            [
                format,
                f"{golden.formats.get(format).bits_per_element:g}",
                tables.digits(fast.seconds),
                tables.digits(_total(net, rows, format, bandwidth=SLOW).seconds),
                tables.digits(fast.traffic / 1e6),
                tables.energy(fast.energy, 1),
            ]
        )
    return found


def ratios(net: network.Network, share: float) -> list[float]:
    """Return how much more MXFP4 with a share at 8 bits takes than M2XFP without.

    Products of 4 by 4 bits, time of the prompt, of a token from fast and from slow memory,
    traffic of a token; and energy of the prompt and of a token, both at their lower ends.
    """

    def both(rows: int, **machine) -> tuple[cost.Total, cost.Total]:
        return _total(net, rows, "mxfp4", share, **machine), _total(net, rows, "m2xfp", **machine)

    prompt, fast, slow = both(TOKENS), both(1, bandwidth=FAST), both(1, bandwidth=SLOW)
    return [
        1 + 3 * share,
        *(one.seconds / other.seconds for one, other in (prompt, fast, slow)),
        fast[0].traffic / fast[1].traffic,
        *(one.energy.low / other.energy.low for one, other in (prompt, fast)),
    ]


def batches(net: network.Network) -> tables.Table:
    """Return a row for every number of tokens that are decoded together."""
    found = [["tokens together", "utilization of the array's cycles"]]
    machines = {f"{rate / 1e9:g} GB/s": Machine(bandwidth=rate) for rate in (FAST, SLOW)}
    for name in machines:
        found[0] += [f"tokens/s, {name}", "bound by"]
    for rows in (1, 2, 4, 8, 16, 32, 64):
        cells = []
        for machine in machines.values():
            costs = cost.block(machine, net, rows, cost.Options())
            total = cost.network(costs, net.blocks)
            # The bound of the layer that takes most of the time.
            slowest = max(costs, key=lambda one: one.total.seconds)
            cells += [tables.digits(rows / total.seconds), slowest.bound]
        found.append([str(rows), f"{total.utilization:.1%}", *cells])
    return found


def energies(net: network.Network) -> tables.Table:
    """Return the energy by kind, of a prompt with both kinds of results and of a token."""
    runs = {
        "a prompt, FP32 results": (TOKENS, False),
        "a prompt, quantized results": (TOKENS, True),
        "a token, FP32 results": (1, False),
    }
    totals = [
        cost.network(
            cost.block(Machine(), net, rows, cost.Options(quantized=quantized)), net.blocks
        )
        for rows, quantized in runs.values()
    ]
    return [
        ["J", *runs],
        *(
            [kind, *(tables.energy(total.joules[kind], 1) for total in totals)]
            for kind in totals[0].joules
        ),
        ["all", *(tables.energy(total.energy, 1) for total in totals)],
    ]


def fallback(net: network.Network) -> tables.Table:
    """Return the ratios of some shares."""
    titles = [
        "share at 8 bits",
        "1 + 3 x share",
        f"prompt of {TOKENS}",
        f"a token, {FAST / 1e9:g} GB/s",
        f"a token, {SLOW / 1e9:g} GB/s",
        "traffic of a token",
        "energy of the prompt",
        "energy of a token",
    ]
    return [
        titles,
        *([f"{share:.4f}", *(f"{r:.3f}" for r in ratios(net, share))] for share in SHARES),
    ]


def orders(machine: Machine, costs: list[cost.LayerCost]) -> tables.Table:
    """Return the gateware's order and the best for the buffers, layer by layer."""
    found = [["layer", "gateware's order", "MB", "best order", "MB"]]
    for one in costs:
        best = one.best(machine)
        found.append(
            [
                one.layer.name,
                str(one.tiling),
                tables.digits(one.moved.bits / 8e6),
                str(best) if best else "none fits",
                tables.digits(traffic(one.product, best).bits / 8e6) if best else "-",
            ]
        )
    return found


def columns() -> tables.Table:
    """Return the energy of a column by format, as measured and as scaled."""
    found = [["format", "osu018 pJ a cycle", "osu018 pJ a MAC", "28 nm pJ a MAC"]]
    for format in FORMATS:
        measured = energy.picojoules("column", format)
        if measured is None:
            found.append([format, *["not measured"] * 3])
            continue
        mac = measured / golden.formats.get(format).group
        scaled = energy.node_factor(28, 180) * mac
        found.append(
            [format, tables.digits(measured), tables.digits(mac), tables.energy(scaled, 1)]
        )
    return found


def nodes() -> tables.Table:
    """Return the factors of the nodes."""
    return [
        ["node nm", "energy, osu018 = 1"],
        *([str(node), tables.energy(energy.node_factor(node, 180), 1)] for node in energy.NODES),
    ]


def pictures_of() -> dict[str, bytes]:
    """Return file name -> picture."""
    from . import pictures  # needs matplotlib, which the figures do not

    machine, net = Machine(), network.load(NETWORK)
    phases = {
        name: cost.block(machine, net, rows, cost.Options())
        for name, rows in (("prefill", TOKENS), ("decode", 1))
    }
    batches = {
        f"{rows} tokens" if rows > 1 else "1 token": cost.block(machine, net, rows, cost.Options())
        for rows in BATCHES
    }
    shares = [step / 20 for step in range(21)]
    lines = [ratios(net, share) for share in shares]
    times = {
        format: [_total(net, rows, format).seconds for rows in (TOKENS, 1)] for format in FORMATS
    }
    return {
        "performance-roofline.svg": pictures.roofline(machine, batches),
        "performance-layers.svg": pictures.layers(phases),
        "performance-formats.svg": pictures.formats(shares, lines, times),
    }
