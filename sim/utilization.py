"""``python -m sim.utilization``: a table of measured utilization, for docs/tile.md.

Every row is a simulation of the tile in the fast engine with random operands, whose outputs are
compared with the golden model and whose cycles with the formula of `sim.cycles`.
"""

import sys

import numpy as np

import golden
from hdl import formats
from hdl.tile import SystolicTile

from . import cycles, engines, gemm

COLUMNS, ROWS, BLOCKS = 32, 128, 2
HEADER = (
    "| M | K | N | cycles | formula | MAC a cycle | utilization |\n"
    "| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
)


def measure(m: int, k: int, n: int) -> str:
    """Simulate one product and return its row of the table."""
    rng = np.random.default_rng(m + k)
    a = golden.quantize(rng.standard_normal((m, k)).astype(np.float32), "activations")
    w = golden.quantize(rng.standard_normal((n, k)).astype(np.float32), "weights")
    run = gemm.run(a, w, engines.get("fast"), columns=COLUMNS, rows=ROWS)
    if len(run.mismatches):
        raise golden.MismatchError(f"{len(run.mismatches)} outputs of M={m}, K={k} differ")
    tile = SystolicTile(formats.get("m2xfp"), columns=COLUMNS, rows=ROWS)
    expected = cycles.operand_cycles(tile, m, n, run.plan.groups)
    return (
        f"| {m} | {k} | {n} | {run.operand_cycles} | {expected} | {run.macs_per_cycle:.1f} "
        f"| {run.utilization:.1%} |"
    )


def main() -> int:
    """Print the table."""
    print(HEADER)
    for k in (576, 4096):
        for m in (1, 8, 32, 128, 512):
            print(measure(m, k, COLUMNS * BLOCKS), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
