"""``m2xfp sim core``: a matrix product on the GEMM core, every result bit compared."""

import argparse
import sys

import golden
from golden import InputError
from hdl import formats
from hdl.core import Flags, GemmCore, Output
from sim import core_run, engines

from . import simulation
from .gemm import LISTED, load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``m2xfp sim core``."""
    tensor = "FILE.npy or FILE.safetensors:TENSOR, floats of shape"
    parser.add_argument("--activations", required=True, metavar="A", help=f"{tensor} (M, K)")
    parser.add_argument("--weights", required=True, metavar="W", help=f"{tensor} (N, K)")
    parser.add_argument("--c", metavar="C", help=f"start from: {tensor} (M, N)")
    parser.add_argument("--format", choices=formats.names(), default=formats.names()[0])
    parser.add_argument("--columns", type=int, default=16, help="of the tile (default: 16)")
    parser.add_argument("--rows", type=int, default=128, help="of the tile (default: 128)")
    parser.add_argument(
        "--buffer-groups", type=int, metavar="B", help="default: what the product needs"
    )
    parser.add_argument(
        "--quantize", action="store_true", help="quantize the results; columns a multiple of 32"
    )
    parser.add_argument("--max-rows", type=int, metavar="M", help="use the first M rows of A")
    parser.add_argument("--max-channels", type=int, metavar="N", help="use the first N rows of W")
    simulation.add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Simulate, report, and return 0 if all bits agree, else 1."""
    for name in ("columns", "rows", "buffer_groups", "max_rows", "max_channels"):
        simulation.check_positive(name.capitalize().replace("_", " "), getattr(args, name))
    simulation.check_engine_arguments(args)
    a = load(args.activations, "Activations", args.format, args.max_rows)
    w = load(args.weights, "Weights", args.format, args.max_channels)
    c = golden.load_tensor(args.c) if args.c else None
    core = build(args, a.shape, c is not None)
    with simulation.stages() as (stage, advance):
        stage("quantize")
        left = golden.quantize(a, "activations", format=args.format)
        right = golden.quantize(w, "weights", format=args.format)
        stage("prepare the core, which is compiled on first use")
        try:
            done = core_run.run(
                core,
                left,
                right,
                engines.get(args.engine),
                c=c,
                output=Output.GROUPS if args.quantize else Output.FP32,
                stall=args.stall,
                seed=args.seed,
                vcd=args.vcd,
                progress=advance,
            )
        except engines.SimulationError as error:
            print(f"m2xfp: error: {error}", file=sys.stderr)
            return 1
    report(args, done)
    return int(len(done.mismatches) > 0)


def build(args: argparse.Namespace, shape: tuple[int, int], accumulate: bool) -> GemmCore:
    """Build the core that the options ask for, for activations of a shape (M, K).

    Raises
    ------
    InputError
        When it refuses its parameters, with its own words, or is too small.
    """
    format = formats.get(args.format)
    groups = shape[1] // format.lanes
    try:
        core = GemmCore(
            format,
            columns=args.columns,
            rows=args.rows,
            buffer_groups=args.buffer_groups or max(2, min(shape[0], args.rows) * groups),
            accumulate=accumulate,
            quantize=args.quantize,
        )
    except ValueError as error:
        raise InputError(str(error)) from None
    core_run.check_room(core, shape[0], groups)
    return core


def report(args: argparse.Namespace, done: core_run.CoreRun) -> None:
    """Print what was computed, how fast, and the verdict."""
    gemm, status = done.gemm, done.status
    k = gemm.groups * formats.get(args.format).lanes
    peak = formats.get(args.format).lanes * gemm.columns
    rate = status.macs / status.busy
    stalls = ", ".join(
        f"{name} {status[f'stalled_{name}']}" for name in ("activations", "weights", "c", "results")
    )
    flags = [name for name in Flags.as_shape().members if status.flags[name]]
    simulation.print_table(
        {
            "product": f"{gemm.rows} x {k} by {gemm.channels} x {k}, {args.format}",
            "core": f"{gemm.columns} columns, {gemm.block_rows} rows, engine {args.engine}",
            "cycles": f"{status.busy} busy; stalled on {stalls}",
            "MAC/cycle": f"{rate:.1f}, {rate / peak:.2%} of {peak}",
            "NaN results": str(status.nan_results),
            "flags": ", ".join(flags) or "none",
            "verdict": verdict(done),
        }
    )
    for row, column in done.mismatches[:LISTED]:
        print(f"  row {row}, {'group' if args.quantize else 'column'} {column}")
    if len(done.mismatches) > LISTED:
        print(f"  and {len(done.mismatches) - LISTED} more")


def verdict(done: core_run.CoreRun) -> str:
    """Say in a line how the result compares."""
    quantized = done.expected.ndim == 3
    what = "groups" if quantized else "outputs"
    count = done.expected.shape[0] * done.expected.shape[1]
    if len(done.mismatches):
        return f"FAIL: {len(done.mismatches)} of {count} {what} differ from golden"
    return f"PASS: {count} {what} compared, all bits agree with golden"
