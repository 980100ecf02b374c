import re

import numpy as np
import pytest
from safetensors.numpy import load_file

import golden
from golden import cli
from sim import quantize

from .quantizer_cases import heavy_tails

#: The command's other options; a narrow engine compiles quickly.
OPTIONS = ["--lanes", "8"]


@pytest.fixture
def tensor(tmp_path):
    """A file of heavy-tailed float32 values and its path."""
    np.save(tmp_path / "x.npy", heavy_tails(40).reshape(4, -1))
    return tmp_path / "x.npy"


def test_output_is_the_gatewares_and_equals_goldens(tensor, capsys):
    output, reference = tensor.with_name("q.safetensors"), tensor.with_name("g.safetensors")
    assert cli.main(["sim", "quantize", str(tensor), *OPTIONS, "--output", str(output)]) == 0
    assert "PASS: 40 groups compared, all bits agree with golden" in capsys.readouterr().out
    assert cli.main(["quantize", str(tensor), str(reference), "--role", "activations"]) == 0
    assert output.read_bytes() == reference.read_bytes()


def test_mismatch_is_listed_and_output_is_still_the_gatewares(tensor, capsys, monkeypatch):
    output, x = tensor.with_name("q.safetensors"), np.load(tensor)

    def other(words):
        words = golden_words(words).copy()
        words[0, 2, 0] ^= 1
        return words

    golden_words = golden.group_words
    monkeypatch.setattr(quantize.golden, "group_words", other)
    assert cli.main(["sim", "quantize", str(tensor), *OPTIONS, "--output", str(output)]) == 1
    printed = capsys.readouterr().out
    assert "FAIL: 1 of 40 groups differ from golden" in printed
    assert re.search(r"^  group 2: got 0x[0-9a-f]{40}, want 0x[0-9a-f]{40}$", printed, re.M)
    expected = golden.quantize(x, "activations")
    np.testing.assert_array_equal(load_file(output)["x_packed"], expected.elements)


def test_dtype_converts(tensor, capsys):
    x = np.load(tensor)
    np.save(tensor, x.astype(np.float64))
    output = tensor.with_name("q.safetensors")
    options = ["--dtype", "bf16", "--engine", "amaranth", "--output", str(output)]
    assert cli.main(["sim", "quantize", str(tensor), *OPTIONS, *options]) == 0
    assert "PASS: 40 groups" in capsys.readouterr().out
    expected = golden.quantize(x.astype(quantize.DTYPES["bf16"]), "activations")
    np.testing.assert_array_equal(load_file(output)["x_packed"], expected.elements)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "q.npy"], "Output must be a .safetensors file, not q.npy"),
        ([], "Dtype must be given: the engine does not take float64"),
        (["--stall", "1"], "Stall must be at least 0 and less than 1, not 1.0"),
    ],
)
def test_mistakes_are_one_line(tensor, arguments, message, capsys):
    np.save(tensor, np.load(tensor).astype(np.float64))
    assert cli.main(["sim", "quantize", str(tensor), *arguments]) == 2
    assert capsys.readouterr().err == f"m2xfp: error: {message}\n"
    assert list(tensor.parent.iterdir()) == [tensor]
