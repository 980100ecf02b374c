"""``m2xfp sim gemm``: a matrix product on the systolic tile, every output bit compared."""

import argparse
import sys
from pathlib import Path

import numpy as np

import golden
import golden.formats
from golden import InputError
from golden.atomic import replacing
from hdl import formats
from sim import engines, gemm

from . import simulation

#: Mismatches that are listed.
LISTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``m2xfp sim gemm``."""
    tensor = "FILE.npy or FILE.safetensors:TENSOR, floats of shape"
    parser.add_argument("--activations", required=True, metavar="A", help=f"{tensor} (M, K)")
    parser.add_argument("--weights", required=True, metavar="W", help=f"{tensor} (N, K)")
    parser.add_argument("--format", choices=formats.names(), default=formats.names()[0])
    parser.add_argument("--columns", type=int, default=16, help="of the tile (default: 16)")
    parser.add_argument("--rows", type=int, default=128, help="of the tile (default: 128)")
    parser.add_argument("--max-rows", type=int, metavar="M", help="use the first M rows of A")
    parser.add_argument("--max-channels", type=int, metavar="N", help="use the first N rows of W")
    parser.add_argument("--output", type=Path, metavar="C.npy", help="write the gateware's result")
    simulation.add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Simulate, report, and return 0 if all bits agree, else 1."""
    for name in ("columns", "rows", "max_rows", "max_channels"):
        simulation.check_positive(name.capitalize().replace("_", " "), getattr(args, name))
    simulation.check_engine_arguments(args)
    if args.output:
        simulation.check_writable(args.output)
    a = load(args.activations, "Activations", args.format, args.max_rows)
    w = load(args.weights, "Weights", args.format, args.max_channels)
    if a.shape[1] != w.shape[1]:
        raise InputError(
            f"K must agree, not {a.shape[1]} in the activations and {w.shape[1]} in the weights"
        )
    with simulation.stages() as (stage, advance):
        stage("quantize")
        left = golden.quantize(a, "activations", format=args.format)
        right = golden.quantize(w, "weights", format=args.format)
        stage("prepare the tile, which is compiled on first use")
        try:
            done = gemm.run(
                left,
                right,
                engines.get(args.engine),
                columns=args.columns,
                rows=args.rows,
                stall=args.stall,
                seed=args.seed,
                vcd=args.vcd,
                progress=advance,
            )
        except engines.SimulationError as error:
            print(f"m2xfp: error: {error}", file=sys.stderr)
            return 1
    if args.output:
        with replacing(args.output) as stream:
            np.save(stream, done.result)
    report(args, done)
    return int(len(done.mismatches) > 0)


def load(source: str, name: str, format: str, limit: int | None) -> np.ndarray:
    """Load a matrix that can be quantized, or its first ``limit`` rows."""
    tensor = golden.load_tensor(source)
    if tensor.ndim != 2:
        raise InputError(f"{name} must have two axes, not shape {tensor.shape}")
    try:
        golden.formats.get(format).check_shape(tensor.shape)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    return tensor[:limit]


def report(args: argparse.Namespace, done: gemm.GemmRun) -> None:
    """Print what was computed, how fast, and the verdict."""
    plan = done.plan
    simulation.print_table(
        {
            "product": f"{plan.m} x {plan.groups * plan.lanes} by "
            f"{plan.n} x {plan.groups * plan.lanes}, {args.format}",
            "tile": f"{plan.columns} columns, {plan.rows} rows, engine {args.engine}",
            "cycles": f"{done.cycles}, of which {done.operand_cycles} "
            "from the first to the last operand",
            "MAC/cycle": f"{done.macs_per_cycle:.1f}",
            "utilization": f"{done.utilization:.2%} of {plan.lanes * plan.columns}",
            "verdict": verdict(done),
        }
    )
    for row, column in done.mismatches[:LISTED]:
        got, want = done.result[row, column], done.expected[row, column]
        print(f"  row {row}, column {column}: got {_hex(got)}, want {_hex(want)}")
    if len(done.mismatches) > LISTED:
        print(f"  and {len(done.mismatches) - LISTED} more")


def verdict(done: gemm.GemmRun) -> str:
    """Say in a line how the result compares."""
    if len(done.mismatches):
        return f"FAIL: {len(done.mismatches)} of {done.result.size} outputs differ from golden"
    return f"PASS: {done.result.size} outputs compared, all bits agree with golden"


def _hex(value: np.float32) -> str:
    return f"0x{value.view(np.uint32):08x}"
