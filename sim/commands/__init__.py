"""``m2xfp sim``: one module a subcommand, each with ``add_arguments(parser)`` and ``run(args)``."""

import argparse
import importlib

#: Subcommand -> (module, summary).
COMMANDS = {
    "gemm": ("sim.commands.gemm", "multiply two tensors on the systolic tile"),
    "core": ("sim.commands.core", "multiply two tensors on the GEMM core"),
    "quantize": ("sim.commands.quantize", "quantize a tensor on the quantization engine"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of ``m2xfp sim``."""
    subparsers = parser.add_subparsers(dest="subcommand", metavar="WHAT", required=True)
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary.capitalize())
        implementation = importlib.import_module(module)
        implementation.add_arguments(subparser)
        subparser.set_defaults(run_subcommand=implementation.run)


def run(args: argparse.Namespace) -> int | None:
    """Run the subcommand."""
    return args.run_subcommand(args)
