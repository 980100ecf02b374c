"""The ``m2xfp`` console command: one table of subcommands, loaded when they are called."""

import argparse
import importlib
import os
import sys
from typing import NoReturn

from .errors import InputError, MismatchError

#: Subcommand -> (module with ``add_arguments(parser)`` and ``run(args) -> int | None``, summary).
COMMANDS = {
    "quantize": ("golden.commands.quantize", "quantize the float tensors of a file"),
    "dequantize": ("golden.commands.dequantize", "decode a file of quantized tensors to float32"),
    "inspect": ("golden.commands.inspect", "describe a file of quantized tensors"),
    "vectors": ("golden.commands.vectors", "write test vectors for hardware"),
    "sim": ("sim.commands", "run tensors through the gateware and compare every output bit"),
    "verilog": ("hdl.commands.verilog", "export a unit as plain Verilog"),
    "synth": ("synth.commands", "synthesize units and report area and timing"),
    "accuracy": ("sim.accuracy.command", "measure what the formats cost a real language model"),
    "build": ("synth.board.command", "build a bitstream for an FPGA board"),
    "host": ("sim.host.command", "multiply on a board behind a serial port, and compare"),
    "sweep": ("synth.sweep.command", "simulate or synthesize many parameter points"),
    "model": ("sim.model.command", "model what a network costs: cycles, traffic, time, energy"),
    "report": (
        "synth.report",
        "write the reports of synthesis and performance, or check for drift",
    ),
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose errors are one line on standard error and exit status 2."""

    def error(self, message: str) -> NoReturn:
        """Report a bad command line."""
        self.exit(2, f"{self.prog}: error: {message}\n")


def build_parser(command: str | None) -> Parser:
    """Build the parser, importing only the module of ``command``."""
    parser = Parser(prog="m2xfp", description="Golden model and hardware generator for M2XFP.")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, (module, summary) in COMMANDS.items():
        subparser = subparsers.add_parser(name, help=summary, description=summary.capitalize())
        if name == command:
            implementation = importlib.import_module(module)
            implementation.add_arguments(subparser)
            subparser.set_defaults(run=implementation.run)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return the exit status.

    0 is success, 1 a mismatch or a failed verdict, 2 a user's mistake.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        args = build_parser(argv[0] if argv else None).parse_args(argv)
        return args.run(args) or 0
    except (InputError, MismatchError) as error:
        print(f"m2xfp: error: {error}", file=sys.stderr)
        return 1 if isinstance(error, MismatchError) else 2
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        extras = "boards" if package in ("amaranth_boards", "serial") else "sim,synth"
        print(
            f"m2xfp: error: this command needs the Python package {package!r}; "
            f"install m2xfp[{extras}]",
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:
        # The reader of our standard output left (as `| head` does): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
