"""m2xfp quantize, dequantize and inspect."""

import tracemalloc

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import golden
from golden import formats

from .commands import assert_refused, m2xfp


@pytest.fixture
def checkpoint(tmp_path):
    rng = np.random.default_rng(26)
    arrays = {
        "a": rng.standard_normal((6, 64)).astype(np.float16),
        "b.weight": rng.standard_normal((3, 96)).astype(ml_dtypes.bfloat16),
        "c": rng.standard_normal((5, 32)).astype(np.float32),
        "norm": np.ones(64, np.float32),
        "steps": np.ones((2, 32), np.int32),
    }
    save_file(arrays, tmp_path / "in.safetensors")
    return tmp_path / "in.safetensors", arrays


MATRICES = ("a", "b.weight", "c")


@pytest.mark.parametrize("format", formats.names())
@pytest.mark.parametrize("role", ["activations", "weights"])
def test_whole_checkpoints(tmp_path, checkpoint, format, role):
    source, arrays = checkpoint
    packed, back = tmp_path / "q.safetensors", tmp_path / "d.safetensors"
    status, out, err = m2xfp("quantize", source, packed, "--role", role, "--format", format)
    assert (status, err) == (0, "")
    spec = formats.get(format)
    assert out.splitlines() == [
        "skipped, not a 2-D float tensor: 'norm', 'steps'",
        f"{packed}: 3 tensors, 832 elements, {format} {role}, "
        f"{spec.bits_per_element:g} bits an element",
    ]
    stored = load_file(packed)
    suffixes = ["packed", "scale", "meta"] + ["tensor_scale"] * spec.has_tensor_scale
    assert set(stored) == {f"{name}_{suffix}" for name in MATRICES for suffix in suffixes}
    with safe_open(packed, "numpy") as file:
        metadata = file.metadata()
    assert metadata["format"] == format
    assert metadata["role"] == role
    assert metadata["group"] == str(spec.group)
    assert metadata["version"]
    for name in MATRICES:
        expected = golden.quantize(arrays[name], role, format=format)
        np.testing.assert_array_equal(stored[f"{name}_packed"], expected.elements)
        np.testing.assert_array_equal(stored[f"{name}_scale"], expected.scales)
        np.testing.assert_array_equal(stored[f"{name}_meta"], expected.metadata)
    assert m2xfp("dequantize", packed, back) == (0, "", "")
    decoded = load_file(back)
    assert set(decoded) == set(MATRICES)
    for name in MATRICES:
        expected = golden.quantize(arrays[name], role, format=format).dequantize()
        np.testing.assert_array_equal(decoded[name], expected)


def test_tensors_are_streamed(tmp_path):
    # One tensor takes 4 MB as float32; all of them together are more than either command may use.
    arrays = {f"t{i:02}": np.ones((1024, 1024), np.float32) for i in range(12)}
    save_file(arrays, tmp_path / "in.safetensors")
    del arrays
    packed, back = tmp_path / "q.safetensors", tmp_path / "d.safetensors"
    tracemalloc.start()
    assert m2xfp("quantize", tmp_path / "in.safetensors", packed, "--role", "activations")[0] == 0
    assert m2xfp("dequantize", packed, back)[0] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert back.stat().st_size > 48 << 20
    assert peak < 24 << 20


def test_one_tensor_of_a_checkpoint(tmp_path, checkpoint):
    source, arrays = checkpoint
    packed = tmp_path / "q.safetensors"
    assert m2xfp("quantize", f"{source}:norm", packed, "--role", "weights")[0] == 0
    assert m2xfp("dequantize", packed, tmp_path / "d.npy")[0] == 0
    expected = golden.quantize(arrays["norm"], "weights").dequantize()
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), expected)


def test_npy_in_and_out(tmp_path):
    x = np.random.default_rng(27).standard_normal((4, 64))
    np.save(tmp_path / "x.npy", x)
    packed = tmp_path / "q.safetensors"
    options = ("--role", "weights", "--scale-rule", "ceil", "--fixed")
    assert m2xfp("quantize", tmp_path / "x.npy", packed, *options)[0] == 0
    assert m2xfp("dequantize", f"{packed}:x", tmp_path / "d.npy")[0] == 0
    q = golden.quantize(x, "weights", scale_rule="ceil", adaptive=False)
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), q.dequantize())
    with safe_open(packed, "numpy") as file:
        assert file.metadata()["scale_rule"] == "ceil"


@pytest.mark.parametrize("format", ["m2xfp_sg", "m2xfp_sg_spare"])
def test_importance(tmp_path, format):
    rng = np.random.default_rng(34)
    x, importance = rng.standard_normal((4, 64)), rng.lognormal(0, 2, 64)
    np.save(tmp_path / "x.npy", x)
    save_file({"h": importance}, tmp_path / "h.safetensors")
    packed = tmp_path / "q.safetensors"
    options = ("--role", "weights", "--format", format)
    weighed = (*options, "--importance", f"{tmp_path}/h.safetensors:h")
    assert m2xfp("quantize", tmp_path / "x.npy", packed, *weighed)[0] == 0
    expected = golden.quantize(x, "weights", format=format, importance=importance)
    np.testing.assert_array_equal(load_file(packed)["x_packed"], expected.elements)
    plain = golden.quantize(x, "weights", format=format)
    assert (plain.elements != expected.elements).any()


def test_importance_is_refused(tmp_path, checkpoint):
    source, _ = checkpoint
    out, vector = tmp_path / "q.safetensors", tmp_path / "h.npy"
    np.save(vector, np.ones(64))

    def refused(message, *options):
        arguments = (source, out, *options, "--importance", vector)
        assert_refused(tmp_path, message, "quantize", *arguments)

    refused("Format m2xfp takes no importance", "--role", "weights")
    refused(
        "Importance is for weights, not activations",
        *("--role", "activations", "--format", "m2xfp_sg"),
    )
    refused(
        f"{source}: tensor 'b.weight': Importance must have shape (96,), not (64,)",
        *("--role", "weights", "--format", "m2xfp_sg"),
    )


def test_the_input_may_be_replaced(tmp_path, checkpoint):
    source, _ = checkpoint
    assert m2xfp("quantize", source, source, "--role", "weights")[0] == 0
    assert load_file(source)["c_scale"].shape == (5, 1)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.safetensors"]


def test_inspect(tmp_path):
    x = np.zeros((2, 64), np.float32)
    x[0, 0], x[0, 8], x[1, 5] = 4.4, 4, 1
    np.save(tmp_path / "x.npy", x)
    packed = tmp_path / "q.safetensors"
    m2xfp("quantize", tmp_path / "x.npy", packed, "--role", "activations")
    status, out, err = m2xfp("inspect", packed, "--original", tmp_path / "x.npy")
    assert (status, err) == (0, "")
    assert out.splitlines() == [
        f"{packed}: m2xfp activations, group 32",
        "x",
        "  shape     (2, 64)",
        "  storage   72 bytes, 4.5 bits an element",
        "  metadata  0: 0 (0.0%), 1: 15 (93.8%), 2: 1 (6.2%), 3: 0 (0.0%)",
        "  error     rms 0.008839, relative 1.658% (SQNR 35.61 dB), largest 0.1",
    ]


def test_inspect_counts_what_is_not_finite(tmp_path):
    x = np.ones((2, 32), np.float32)
    x[1, 3] = np.nan
    np.save(tmp_path / "x.npy", x)
    m2xfp("quantize", tmp_path / "x.npy", tmp_path / "q.safetensors", "--role", "weights")
    arguments = (tmp_path / "q.safetensors", "--original", tmp_path / "x.npy")
    out = m2xfp("inspect", *arguments)[1].splitlines()
    assert out[-1] == (
        "  error     rms 0, relative 0.000% (SQNR no noise), largest 0, 32 elements not finite"
    )


@pytest.mark.parametrize("format", formats.names())
def test_inspect_every_format(tmp_path, checkpoint, format):
    source, _ = checkpoint
    packed = tmp_path / "q.safetensors"
    m2xfp("quantize", source, packed, "--role", "weights", "--format", format)
    status, out, _ = m2xfp("inspect", packed, "--original", source)
    assert status == 0
    assert [line for line in out.splitlines() if not line.startswith(" ")][1:] == list(MATRICES)
    has = {"m2xfp": "3: ", "m2xfp_sg": "3: ", "m2xfp_sg_spare": "3: ", "smx4": "1: "}
    assert ("metadata" in out) == (format in has)
    assert has.get(format, "") in out
    assert ("tensor scale" in out) == (format == "nvfp4")


def test_quantize_refuses(tmp_path, checkpoint):
    source, _ = checkpoint
    out = tmp_path / "q.safetensors"
    np.save(tmp_path / "k.npy", np.ones((2, 48), np.float32))
    save_file({"w": np.ones((2, 40), np.float32)}, tmp_path / "k.safetensors")
    save_file({"w": np.ones(32, np.float32)}, tmp_path / "flat.safetensors")
    (tmp_path / "folder.safetensors").mkdir()

    def refused(message, *arguments):
        assert_refused(tmp_path, message, "quantize", *arguments, "--role", "weights")

    refused(
        f"{tmp_path}/k.npy: tensor 'k': Last axis K must be a multiple of 32 for m2xfp, not 48",
        tmp_path / "k.npy",
        out,
    )
    refused(
        f"{tmp_path}/k.safetensors: tensor 'w': Last axis K must be a multiple of 32 for m2xfp, "
        "not 40",
        tmp_path / "k.safetensors",
        out,
    )
    refused(
        f"{tmp_path}/flat.safetensors: no 2-D float tensor; it has 'w'",
        tmp_path / "flat.safetensors",
        out,
    )
    refused(
        f"{source}:steps: Tensor must be float16, bfloat16, float32 or float64, not int32",
        f"{source}:steps",
        out,
    )
    refused(f"Output must be a .safetensors file, not {tmp_path}/q.bin", source, tmp_path / "q.bin")
    refused(
        f"Cannot write {tmp_path}/none/q.safetensors: No such file or directory",
        source,
        tmp_path / "none/q.safetensors",
    )
    refused(
        f"Cannot write {tmp_path}/folder.safetensors: it is not a regular file",
        source,
        tmp_path / "folder.safetensors",
    )
    refused(
        "Scale rule of nvfp4 must be one of floor, four_six, search, not 'ceil'",
        *(source, out, "--format", "nvfp4", "--scale-rule", "ceil"),
    )


def test_dequantize_and_inspect_refuse(tmp_path, checkpoint):
    source, _ = checkpoint
    packed = tmp_path / "q.safetensors"
    m2xfp("quantize", source, packed, "--role", "weights")
    np.save(tmp_path / "x.npy", np.ones((6, 32), np.float32))
    not_ours = f"{source}: not a file of `m2xfp quantize`: its metadata has no format"
    for command in (("dequantize", source, tmp_path / "d.npy"), ("inspect", source)):
        assert_refused(tmp_path, not_ours, *command)
    names = "'a', 'b.weight', 'c'"
    assert_refused(
        tmp_path,
        f"A .npy file holds one tensor, and {packed} has {names}: name one as {packed}:TENSOR",
        *("dequantize", packed, tmp_path / "d.npy"),
    )
    assert_refused(
        tmp_path,
        f"{packed}: no tensor 'z'; it has {names}",
        *("dequantize", f"{packed}:z", tmp_path / "d.npy"),
    )
    assert_refused(
        tmp_path,
        f"Output must be a .safetensors or .npy file, not {tmp_path}/d.txt",
        *("dequantize", packed, tmp_path / "d.txt"),
    )
    assert_refused(
        tmp_path,
        "Original of 'a' must have shape (6, 64), not (6, 32)",
        *("inspect", f"{packed}:a", "--original", tmp_path / "x.npy"),
    )
    assert_refused(
        tmp_path,
        f"{tmp_path}/x.npy is one tensor, but the quantized file has 3",
        *("inspect", packed, "--original", tmp_path / "x.npy"),
    )


def test_an_unfinished_output_is_removed(tmp_path, checkpoint, monkeypatch):
    source, _ = checkpoint
    out = tmp_path / "q.safetensors"
    out.write_bytes(b"before")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("golden.packed_file.SafetensorsWriter.write", full)
    message = f"Cannot write {out}: No space left on device"
    assert_refused(tmp_path, message, "quantize", source, out, "--role", "weights")
    assert out.read_bytes() == b"before"


def test_bad_command_lines(tmp_path):
    status, out, err = m2xfp("quantize", "a.npy", "b.safetensors", "--role", "bias")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert m2xfp("quantize", "a.npy", "b.safetensors")[0] == 2
    assert m2xfp("inspect")[0] == 2
