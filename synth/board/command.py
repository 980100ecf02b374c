"""``m2xfp build``: a bitstream with a GEMM core behind the UART of a board."""

import argparse
import sys
import warnings
from pathlib import Path

from amaranth.hdl import UnusedElaboratable

from golden import InputError
from hdl import formats
from hdl.board import BoardTop
from hdl.core import GemmCore
from hdl.fabric import Fabric

from ..yosys import SynthesisError
from .boards import BOARDS, Board
from .build import Built, build


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``m2xfp build``."""
    parser.add_argument("board", choices=list(BOARDS))
    parser.add_argument("--baud", type=int, default=115200, help="default: 115200")
    parser.add_argument("--format", choices=formats.names(), help="default: by board")
    parser.add_argument("--columns", type=int, help="of the core (default: by board)")
    parser.add_argument("--rows", type=int, help="of the core (default: by board)")
    parser.add_argument("--buffer-groups", type=int, metavar="B", help="default: by board")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="default: build/BOARD, replaced"
    )


def run(args: argparse.Namespace) -> int:
    """Build, report, and return 0 if the board's clock is slow enough, else 1."""
    # What is refused is never elaborated, and the user need not hear of that.
    warnings.simplefilter("ignore", UnusedElaboratable)
    board = BOARDS[args.board]
    top = circuit(board, args)
    try:
        built = build(board, top, args.output or Path("build", args.board))
    except SynthesisError as error:
        print(f"m2xfp: error: {error}", file=sys.stderr)
        return 1
    return report(args.board, top, built)


def circuit(board: Board, args: argparse.Namespace) -> BoardTop:
    """Return what the options ask for, the board's defaults for what they leave open.

    Raises
    ------
    InputError
        With the core's own words when it refuses its parameters.
    """
    chosen = {name: getattr(args, name) for name in board.defaults}
    parameters = board.defaults | {k: v for k, v in chosen.items() if v is not None}
    format = formats.get(parameters.pop("format"), Fabric.LUTS)
    try:
        core = GemmCore(format, **parameters)
        return BoardTop(core, frequency=board.frequency, baud=args.baud)
    except ValueError as error:
        raise InputError(str(error)) from None


def report(name: str, top: BoardTop, built: Built) -> int:
    """Print what was built and the verdict on its timing; return 0 if it passes, else 1."""
    board, core = BOARDS[name], top.core
    used, available = built.utilization[board.cells]
    clock = board.frequency / 1e6
    passes = built.fmax_mhz >= clock
    print(f"board      {name}")
    print(
        f"core       {core.format.name}, columns {core.columns}, rows {core.rows}, "
        f"buffer groups {core.buffer_groups}"
    )
    print(f"LUTs       {used} of {available} {board.cells}")
    print(f"Fmax       {built.fmax_mhz:.1f} MHz")
    print(f"timing     {'PASS' if passes else 'FAIL'} at {clock:g} MHz")
    print(f"bitstream  {built.bitstream}")
    return int(not passes)
