"""``m2xfp host``: matrix products on a board behind a serial port, every bit compared."""

import argparse
import warnings
from contextlib import contextmanager

import numpy as np
from amaranth.hdl import UnusedElaboratable

import golden
from golden import InputError
from hdl import formats
from hdl.board import BoardTop
from hdl.core import GemmCore
from hdl.fabric import Fabric
from sim.commands import simulation
from sim.commands.gemm import load

from .session import Session
from .simulated import SimulatedBoard
from .transport import SerialPort

#: Clock of the simulated board, in bits on the wire: fewer cycles, the same bytes.
_SIMULATED_DIVISOR = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``m2xfp host``."""
    tensor = "FILE.npy or FILE.safetensors:TENSOR, floats of shape"
    parser.add_argument(
        "--port", required=True, metavar="P", help="serial port, or sim for a simulated board"
    )
    parser.add_argument("--baud", type=int, default=115200, help="default: 115200")
    products = parser.add_subparsers(dest="job", metavar="JOB", required=True)
    gemm = products.add_parser("gemm", help="multiply two matrices")
    gemm.add_argument("--activations", required=True, metavar="A", help=f"{tensor} (M, K)")
    gemm.add_argument("--weights", required=True, metavar="W", help=f"{tensor} (N, K)")
    gemm.add_argument("--format", choices=formats.names(), default=formats.names()[0])
    gemm.add_argument("--max-rows", type=int, metavar="M", help="use the first M rows of A")
    gemm.add_argument("--max-channels", type=int, metavar="N", help="use the first N rows of W")
    gemm.add_argument("--columns", type=int, default=2, help="of the board (default: 2)")
    gemm.add_argument("--rows", type=int, default=16, help="of the board (default: 16)")
    gemm.add_argument(
        "--buffer-groups", type=int, default=256, metavar="B", help="of the board (default: 256)"
    )


def run(args: argparse.Namespace) -> int:
    """Multiply, report, and return 0 if all bits agree with golden, else 1."""
    for name in ("baud", "columns", "rows", "buffer_groups", "max_rows", "max_channels"):
        simulation.check_positive(name.capitalize().replace("_", " "), getattr(args, name))
    a = load(args.activations, "Activations", args.format, args.max_rows)
    w = load(args.weights, "Weights", args.format, args.max_channels)
    left = golden.quantize(a, "activations", format=args.format)
    right = golden.quantize(w, "weights", format=args.format)
    expected = golden.accumulate(left, right, None)
    # The core of a real board is built here only to ask for its parameters.
    warnings.simplefilter("ignore", UnusedElaboratable)
    core = _core(args)
    with _transport(args, core) as transport:
        result, status = Session(transport, core).gemm(left, right)
    wrong = int((result.view(np.uint32) != expected.view(np.uint32)).sum())
    verdict = (
        f"FAIL: {wrong} of {expected.size} outputs differ from golden"
        if wrong
        else f"PASS: {expected.size} outputs compared, all bits agree with golden"
    )
    simulation.print_table(
        {
            "product": f"{a.shape[0]} x {a.shape[1]} by {w.shape[0]} x {w.shape[1]}, {args.format}",
            "board": "simulated in Verilator" if args.port == "sim" else args.port,
            "cycles": str(status.busy),
            "verdict": verdict,
        }
    )
    return int(wrong > 0)


def _core(args: argparse.Namespace) -> GemmCore:
    try:
        return GemmCore(
            formats.get(args.format, Fabric.LUTS),
            columns=args.columns,
            rows=args.rows,
            buffer_groups=args.buffer_groups,
        )
    except ValueError as error:
        raise InputError(str(error)) from None


@contextmanager
def _transport(args: argparse.Namespace, core: GemmCore):
    if args.port == "sim":
        try:
            top = BoardTop(core, frequency=_SIMULATED_DIVISOR * args.baud, baud=args.baud)
        except ValueError as error:
            raise InputError(str(error)) from None
        with SimulatedBoard(top) as board:
            yield board
        return
    port = SerialPort(args.port, args.baud)
    try:
        yield port
    finally:
        port.close()
