import numpy as np
import pytest

import golden
from hdl import formats
from hdl.tile import SystolicTile
from sim import cycles, engines, gemm


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize("m", [1, 5, 7, 16, 37])
def test_formula_is_exact(columns, m):
    """Around every edge: rows, row distance, columns, blocks of rows and of channels."""
    n = 2 * columns + 1
    rng = np.random.default_rng(m)
    a = golden.quantize(rng.standard_normal((m, 96)), "activations")
    w = golden.quantize(rng.standard_normal((n, 96)), "weights")
    run = gemm.run(a, w, engines.get("fast"), columns=columns, rows=16)
    assert not len(run.mismatches)
    tile = SystolicTile(formats.get("m2xfp"), columns=columns, rows=16)
    assert run.operand_cycles == cycles.operand_cycles(tile, m, n, 3)
