import numpy as np

from sim import engines, gemm
from sim.accuracy.gateware import compare_block
from sim.accuracy.run import BLOCK, BLOCK_ENCODING, BLOCK_TOKENS


def compare(run, tokens):
    done = []
    engine = engines.get("fast")
    found = compare_block(run, BLOCK_ENCODING, BLOCK, tokens, engine, lambda: done.append(1))
    assert len(done) == 7
    return found


def test_a_block_on_the_tile_is_the_golden_block(run):
    found = compare(run, BLOCK_TOKENS)
    assert found["mismatches"] == 0
    assert found["outputs"] == 32 * 576
    assert found["products"] == 32 * (576 * 2 + 192 * 2 + 1536 * 2 + 576)


def test_one_wrong_bit_of_a_product_is_found(run, monkeypatch):
    def flipped(a, w, engine, *, columns, rows):
        result = gemm.golden.accumulate(a, w)
        result.view(np.uint32)[1, 5] ^= 1 << 22
        return gemm.GemmRun(result, result, np.empty((0, 2)), 1, 1, None)

    monkeypatch.setattr(gemm, "run", flipped)
    assert compare(run, 2)["mismatches"] > 0
