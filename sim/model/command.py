"""``m2xfp model``: what a network costs on the gateware."""

import dataclasses
import json
import math
import re
from pathlib import Path

import golden.formats
from golden.atomic import replacing
from golden.errors import InputError

from . import cost, energy, network, report, tables
from .machine import Machine
from .storage import Fallback

#: Rows of activations of each phase; None stands for ``--tokens``.
PHASES = {"prefill": None, "decode": 1}

_BUFFERS = ("activation_buffer", "weight_buffer", "result_buffer")


def add_arguments(parser):
    """Add the arguments of ``m2xfp model``."""
    default = Machine()
    parser.add_argument(
        "--network",
        default="llama3_8b",
        metavar="NAME",
        help=f"{', '.join(network.names())}, or a .toml file; default: %(default)s",
    )
    parser.add_argument(
        "--tokens", type=int, default=2048, metavar="M", help="of the prompt; default: %(default)s"
    )
    parser.add_argument(
        "--format",
        choices=golden.formats.names(),
        default=golden.formats.DEFAULT,
        help="default: %(default)s",
    )
    parser.add_argument(
        "--fallback",
        nargs="+",
        default=[],
        metavar="[LAYER[.TENSOR]=]SHARE",
        help="share kept at 8 bits, of all layers, of one, or of its weights or activations",
    )
    parser.add_argument(
        "--array",
        default=f"{default.lanes}x{default.columns}",
        metavar="LxC",
        help="lanes x columns; default: %(default)s",
    )
    numbers = (
        ("--rows", "rows", int, "R", "rows of partial sums"),
        ("--clock", "clock", float, "HZ", "clock frequency"),
        ("--bandwidth", "bandwidth", float, "BYTES", "of the memory, a second"),
    )
    for option, name, kind, metavar, meaning in numbers:
        parser.add_argument(
            option,
            type=kind,
            default=getattr(default, name),
            metavar=metavar,
            help=f"{meaning}; default: %(default)g",
        )
    parser.add_argument(
        "--buffers",
        default=",".join(str(getattr(default, name)) for name in _BUFFERS),
        metavar="A,W,C",
        help="KiB for activations, weights, results; default: %(default)s",
    )
    parser.add_argument(
        "--quantized", action="store_true", help="results leave quantized instead of as FP32"
    )
    parser.add_argument(
        "--node", type=int, choices=energy.NODES, default=28, help="nm; default: %(default)s"
    )
    parser.add_argument(
        "--memory", choices=energy.MEMORIES, default="dram", help="default: %(default)s"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures")
    parser.add_argument(
        "--report", type=Path, metavar="FOLDER", help="write the report of all networks instead"
    )


def run(args):
    """Print tables of both phases, or write the report."""
    if args.report:
        report.write(args.report)
        return
    machine = _machine(args)
    if args.tokens < 1:
        raise InputError(f"Tokens must be a positive integer, not {args.tokens}")
    net = network.load(args.network)
    options = cost.Options(
        args.format, _fallback(args.fallback, net), args.quantized, args.node, args.memory
    )
    phases = {
        phase: cost.block(machine, net, rows or args.tokens, options)
        for phase, rows in PHASES.items()
    }
    if args.json:
        with replacing(args.json) as stream:
            stream.write((json.dumps(_document(machine, net, phases), indent=1) + "\n").encode())
    print(report.machine_lines(machine, options))
    for phase, costs in phases.items():
        rows = "one token" if phase == "decode" else f"{args.tokens} tokens"
        print(f"\n{net.name}, {phase} of {rows}\n")
        total = cost.network(costs, net.blocks)
        for table in (tables.layers(costs, net.blocks), tables.traffic(total)):
            print(tables.text(table) + "\n")
        print(tables.text(tables.buffers(machine, costs, args.format)) + "\n")
        print(tables.text(report.orders(machine, costs)))


def _machine(args) -> Machine:
    array = re.fullmatch(r"(\d+)x(\d+)", args.array)
    buffers = re.fullmatch(r"(\d+),(\d+),(\d+)", args.buffers)
    if not array:
        raise InputError(f"Array must be lanes x columns, as 32x32, not {args.array!r}")
    if not buffers:
        raise InputError(f"Buffers must be three sizes in KiB, as 144,144,36, not {args.buffers!r}")
    machine = Machine(
        *(int(size) for size in array.groups()),
        args.rows,
        args.clock,
        args.bandwidth,
        *(int(size) for size in buffers.groups()),
    )
    for name, value in dataclasses.asdict(machine).items():
        if not (value > 0 and math.isfinite(value)):
            raise InputError(f"{name.capitalize().replace('_', ' ')} must be positive, not {value}")
    return machine


def _fallback(given: list[str], net: network.Network) -> dict[str, Fallback]:
    names = [layer.name for layer in net.layers]
    found = {name: Fallback() for name in names}
    for text in given:
        place, _, share = text.rpartition("=")
        layer, _, tensor = place.partition(".")
        if layer and layer not in names:
            raise InputError(f"Fallback must name one of {', '.join(names)}, not {layer!r}")
        tensors = [tensor] if tensor else ["weights", "activations"]
        if tensors[0] not in ("weights", "activations"):
            raise InputError(f"Fallback must be of weights or activations, not {tensor!r}")
        for name in [layer] if layer else names:
            found[name] = dataclasses.replace(found[name], **dict.fromkeys(tensors, _share(share)))
    return found


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share <= 1:
        raise InputError(f"Fallback share must be between 0 and 1, not {text!r}")
    return share


def _document(machine, net, phases) -> dict:
    return {
        "machine": dataclasses.asdict(machine),
        "network": net.name,
        "blocks": net.blocks,
        "phases": {
            phase: {
                "layers": [_record(machine, one) for one in costs],
                "block": _figures(cost.network(costs)),
                "network": _figures(cost.network(costs, net.blocks)),
            }
            for phase, costs in phases.items()
        },
    }


def _figures(total: cost.Total) -> dict:
    return dataclasses.asdict(total) | {"utilization": total.utilization, "bytes": total.traffic}


def _record(machine: Machine, one: cost.LayerCost) -> dict:
    best = one.best(machine)
    return {
        **dataclasses.asdict(one.layer),
        **_figures(one.total),
        "bound": one.bound,
        "order": str(one.tiling),
        "best order": best and str(best),
    }
