import math

import numpy as np
import pytest
import torch

import golden
from sim.accuracy.configuration import Encoding, Mode, default_encodings
from sim.accuracy.layers import LayerErrors
from sim.accuracy.model import LAYERS, FloatLinears
from sim.accuracy.quantize import QuantizedLinears, fake_quantize

M2XFP = Encoding("m2xfp", "floor")
X = torch.randn(16, 96, generator=torch.Generator().manual_seed(1))
W = torch.randn(8, 96, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("encoding", default_encodings(), ids=lambda encoding: encoding.label)
@pytest.mark.parametrize("role", ["activations", "weights"])
def test_numbers_are_those_of_golden(encoding, role):
    expected = golden.quantize(
        X.numpy(), role, format=encoding.format, scale_rule=encoding.scale_rule
    ).dequantize()
    assert np.array_equal(fake_quantize(X, role, encoding).numpy(), expected)


def test_the_scale_rule_is_passed_on():
    floor, ceil = (fake_quantize(X, "weights", Encoding("mxfp4", r)) for r in ("floor", "ceil"))
    assert not torch.equal(floor, ceil)


def test_memory_is_shared(monkeypatch):
    seen = []
    quantize = golden.quantize
    monkeypatch.setattr(
        golden, "quantize", lambda x, *a, **k: seen.append(x) or quantize(x, *a, **k)
    )
    fake_quantize(X, "weights", M2XFP)
    assert np.shares_memory(seen[0], X.numpy())


def test_modes_quantize_the_operands_they_name():
    x, w = fake_quantize(X, "activations", M2XFP), fake_quantize(W, "weights", M2XFP)
    expected = {Mode.BOTH: x @ w.T, Mode.WEIGHTS: X @ w.T, Mode.ACTIVATIONS: x @ W.T}
    for mode, product in expected.items():
        (found,) = QuantizedLinears({"a": W}, {"a": w}, M2XFP, mode)(["a"], X)
        torch.testing.assert_close(found, product)


def test_layers_are_measured_behind_a_float_model():
    w = fake_quantize(W, "weights", M2XFP)
    errors = LayerErrors({"a": W}, {"a": w}, M2XFP)
    (passed,) = errors(["a"], X)
    torch.testing.assert_close(passed, X @ W.T)
    x = fake_quantize(X, "activations", M2XFP)

    def ratio(exact, changed):
        return 10 * math.log10(float((exact**2).sum() / ((exact - changed) ** 2).sum()))

    found = errors.table()["a"]
    assert found["weights"] == pytest.approx(ratio(W, w), abs=1e-3)
    assert found["activations"] == pytest.approx(ratio(X, x), abs=1e-3)
    assert found["output"] == pytest.approx(ratio(X @ W.T, x @ w.T), abs=1e-3)


def test_all_linear_layers_of_all_blocks_go_through(run):
    asked = []

    class Listed(FloatLinears):
        def __call__(self, names, x):
            asked.extend(names)
            return super().__call__(names, x)

    run.decoder.logits(torch.from_numpy(run.text.sequences[0, :4]), Listed(run.weights))
    assert asked == [f"blk.{block}.{layer}" for block in range(30) for layer in LAYERS]
    matrices = {name for name, x in run.weights.items() if x.ndim == 2}
    assert matrices - set(asked) == {"token_embd"}
