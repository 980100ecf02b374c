"""How fast the golden model quantizes: elements a second, and against a plain cast.

Run ``python -m bench.golden``. Times are the best of a few runs on this machine as it is; the plain
cast of the same array by ml_dtypes, in the same run, is the yardstick.
"""

import argparse
import time
import tracemalloc

import ml_dtypes
import numpy as np

import golden
from golden.quantizer import processors

#: Title -> arguments of `golden.quantize`, and the target in million elements a second.
CASES = {
    "m2xfp activations": ({"role": "activations"}, 60),
    "m2xfp weights, adaptive": ({"role": "weights"}, 15),
    "m2xfp weights, fixed": ({"role": "weights", "adaptive": False}, None),
    "m2xfp_sg activations": ({"role": "activations", "format": "m2xfp_sg"}, None),
    "m2xfp_sg weights": ({"role": "weights", "format": "m2xfp_sg"}, None),
    "m2xfp_sg_spare weights": ({"role": "weights", "format": "m2xfp_sg_spare"}, None),
    "mxfp4": ({"role": "weights", "format": "mxfp4"}, 60),
    "nvfp4": ({"role": "weights", "format": "nvfp4"}, None),
    "smx4": ({"role": "weights", "format": "smx4"}, None),
}


def best_time(function, repeats):
    """Return the least time of a few calls, in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return min(times)


def peak_memory(function):
    """Return the most memory that one call has allocated at a time, its result included."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=4096, help="rows and columns")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    shape = (args.size, args.size)
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    cast = best_time(lambda: x.astype(ml_dtypes.float4_e2m1fn), args.repeats)
    print(f"{args.size} x {args.size} float32, {processors()} processors, best of {args.repeats}")
    print(f"{'':25}{'M elements/s':>14}{'one thread':>12}{'of a cast':>11}{'extra MB':>10}  target")
    print(f"{'ml_dtypes cast to FP4':25}{x.size / cast / 1e6:14.1f}")
    for title, (options, target) in CASES.items():

        def run(threads=None, options=options):
            return golden.quantize(x, threads=threads, **options)

        fast, slow = best_time(run, args.repeats), best_time(lambda run=run: run(1), args.repeats)
        memory = peak_memory(run) / 1e6
        rates = f"{x.size / fast / 1e6:14.1f}{x.size / slow / 1e6:12.1f}{cast / fast:10.2f}x"
        print(f"{title:25}{rates}{memory:10.1f}  {'' if target is None else target}")


if __name__ == "__main__":
    main()
