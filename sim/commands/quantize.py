"""``m2xfp sim quantize``: a tensor through the quantization engine, every bit compared."""

import argparse
import sys
from pathlib import Path

import numpy as np

import golden
from golden import InputError
from golden.atomic import replacing
from golden.packed_file import PackedWriter
from golden.tensors import SUFFIX, split_spec
from hdl.quantizer import FORMATS
from sim import engines, quantize

from . import simulation

#: Mismatches that are listed.
LISTED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``m2xfp sim quantize``."""
    parser.add_argument(
        "input", metavar="X", help="FILE.npy or FILE.safetensors:TENSOR, floats of shape (..., K)"
    )
    parser.add_argument("--format", choices=FORMATS, default="m2xfp")
    parser.add_argument(
        "--dtype",
        choices=quantize.DTYPES,
        help="input type of the engine, to which X is converted (default: the type of X)",
    )
    parser.add_argument(
        "--lanes", type=int, choices=(8, 16, 32), default=32, help="values a beat (default: 32)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="Q.safetensors", help="write the gateware's groups"
    )
    simulation.add_engine_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Simulate, report, and return 0 if all bits agree, else 1."""
    simulation.check_engine_arguments(args)
    if args.output:
        if args.output.suffix != SUFFIX:
            raise InputError(f"Output must be a {SUFFIX} file, not {args.output}")
        simulation.check_writable(args.output)
    x = load(args.input, args.dtype)
    with simulation.stages() as (stage, advance):
        stage("prepare the engine, which is compiled on first use")
        try:
            done = quantize.run(
                x,
                engines.get(args.engine),
                format=args.format,
                lanes=args.lanes,
                stall=args.stall,
                seed=args.seed,
                vcd=args.vcd,
                progress=advance,
            )
        except engines.SimulationError as error:
            print(f"m2xfp: error: {error}", file=sys.stderr)
            return 1
    if args.output:
        write(args, done)
    report(args, done)
    return int(len(done.mismatches) > 0)


def load(source: str, dtype: str | None) -> np.ndarray:
    """Load a tensor and convert it to the engine's input type."""
    x = golden.load_tensor(source)
    if dtype is None:
        if x.dtype not in quantize.DTYPES.values():
            raise InputError(f"Dtype must be given: the engine does not take {x.dtype.name}")
        return x
    # A value that is out of range becomes an infinity, as a converter in front of it would do.
    with np.errstate(over="ignore", invalid="ignore"):
        return x.astype(quantize.DTYPES[dtype], copy=False)


def write(args: argparse.Namespace, done: quantize.QuantizeRun) -> None:
    """Write the gateware's groups as ``m2xfp quantize`` writes golden's."""
    path, name = split_spec(args.input)
    name = name or path.stem
    result = done.result
    with replacing(args.output) as stream:
        writer = PackedWriter(stream, {name: result.shape}, result.spec, result.role, "floor")
        writer.write(name, result)


def report(args: argparse.Namespace, done: quantize.QuantizeRun) -> None:
    """Print what was quantized, how fast, and the verdict."""
    groups = len(done.words)
    shape = " x ".join(map(str, done.result.shape))
    simulation.print_table(
        {
            "tensor": f"{shape}, {groups} groups, {args.format}",
            "engine": f"{args.lanes} lanes, simulated by {args.engine}",
            "cycles": f"{done.cycles}, the first group after {done.latency}",
            "groups/cycle": f"{groups / done.cycles:.3f}",
            "verdict": verdict(done),
        }
    )
    for index in done.mismatches[:LISTED]:
        got, want = _hex(done.words[index]), _hex(done.expected[index])
        print(f"  group {index}: got {got}, want {want}")
    if len(done.mismatches) > LISTED:
        print(f"  and {len(done.mismatches) - LISTED} more")


def verdict(done: quantize.QuantizeRun) -> str:
    """Say in a line how the result compares."""
    groups = len(done.words)
    if len(done.mismatches):
        return f"FAIL: {len(done.mismatches)} of {groups} groups differ from golden"
    return f"PASS: {groups} groups compared, all bits agree with golden"


def _hex(words: np.ndarray) -> str:
    return "0x" + "".join(f"{word:08x}" for word in words[::-1])
