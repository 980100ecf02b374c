import numpy as np
import pytest
import torch

from golden import InputError
from sim.accuracy import text
from sim.accuracy.calibration import FLOOR, Calibration, Recorder, added, digest, importance
from sim.accuracy.configuration import Encoding
from sim.accuracy.model import FloatLinears
from sim.accuracy.quantize import quantize_weights

LAYER = "blk.3.attn_q"


def fail():
    raise AssertionError("captured again")


def test_importance_by_hand():
    found = importance({"a": torch.tensor([1.0, 3.0, 0.0, 4.0], dtype=torch.float64)})
    assert found["a"].tolist() == pytest.approx([0.5 + FLOOR, 1.5 + FLOOR, FLOOR, 2 + FLOOR])


def test_inputs_are_recorded_for_every_layer_that_shares_them():
    recorder = Recorder({"a": torch.eye(2), "b": torch.ones(1, 2), "c": torch.eye(2)})
    a, b = recorder(["a", "b"], torch.tensor([[1.0, 2.0], [3.0, 0.0]]))
    recorder(["a"], torch.tensor([[1.0, 1.0]]))
    assert a.tolist() == [[1, 2], [3, 0]]
    assert b.tolist() == [[3], [3]]
    assert {name: sums.tolist() for name, sums in recorder.sums.items()} == {
        "a": [11, 5],
        "b": [10, 4],
    }
    assert added([recorder.sums, recorder.sums])["b"].tolist() == [20, 8]


def test_the_calibration_is_that_of_the_float_model(run, tokenizer):
    words = text.load_calibration(tokenizer)
    rows = []

    class Watched(FloatLinears):
        def __call__(self, names, x):
            if LAYER in names:
                rows.append(x.double().numpy())
            return super().__call__(names, x)

    for sequence in words.sequences:
        run.decoder.logits(torch.from_numpy(sequence[:-1]), Watched(run.weights))
    squares = np.mean(np.concatenate(rows) ** 2, axis=0)
    found = run.calibration()
    assert set(found) == set(run.names)
    np.testing.assert_allclose(found[LAYER], squares / squares.mean() + 1e-3, rtol=1e-6)


def test_it_is_kept(tmp_path):
    capture = {"a": torch.tensor([1.0, 3.0], dtype=torch.float64)}.copy
    first = Calibration(tmp_path / "new", "text", capture)()
    again = Calibration(tmp_path / "new", "text", fail)()
    assert digest(first) == digest(again)
    with pytest.raises(AssertionError, match="captured again"):
        Calibration(tmp_path / "new", "another text", fail)()


def test_another_file_is_refused(tmp_path):
    Calibration(tmp_path, "text", {"a": torch.ones(2, dtype=torch.float64)}.copy)()
    (path,) = tmp_path.iterdir()
    path.write_bytes(b"PK text")
    with pytest.raises(InputError, match=rf"^Cannot read the calibration {path}: .*$"):
        Calibration(tmp_path, "text", fail)()


@pytest.mark.parametrize(
    "encoding", [Encoding("nvfp4", "search", True), Encoding("m2xfp_sg_spare", "floor", True)]
)
def test_weights_that_count_more_are_nearer(run, encoding):
    counts = run.calibration()
    exact = run.weights[LAYER].numpy()

    def error(encoding, importance):
        coded = quantize_weights(run.weights, [LAYER], encoding, importance)[LAYER].numpy()
        return (np.square(coded - exact) * counts[LAYER]).sum()

    assert error(encoding, counts) < 0.9 * error(encoding.uncalibrated, {})
    assert run.codes_hash(encoding) != run.codes_hash(encoding.uncalibrated)
