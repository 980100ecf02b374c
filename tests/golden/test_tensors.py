"""load_tensor: what it reads, and one clear line for what it does not."""

import re
import zipfile

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

import golden

FLOATS = (np.float16, ml_dtypes.bfloat16, np.float32, np.float64)


def example(dtype):
    return np.random.default_rng(25).standard_normal((4, 64)).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_reads_npy(tmp_path, dtype):
    x = example(dtype)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "t.npy", np.asfortranarray(x))
    for name in ("x.npy", "t.npy"):
        got = golden.load_tensor(tmp_path / name)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got, x)


@pytest.mark.parametrize("dtype", FLOATS)
def test_reads_safetensors(tmp_path, dtype):
    x = example(dtype)
    save_file({"layer.weight": x}, tmp_path / "x.safetensors")
    got = golden.load_tensor(f"{tmp_path}/x.safetensors:layer.weight")
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, x)


def refused(spec, message):
    with pytest.raises(golden.InputError, match=f"^{re.escape(message)}$"):
        golden.load_tensor(spec)


def test_missing_files_and_tensors(tmp_path):
    refused(f"{tmp_path}/x.npy", f"Cannot read {tmp_path}/x.npy: No such file or directory")
    refused(
        f"{tmp_path}/x.safetensors:w",
        f"Cannot read {tmp_path}/x.safetensors: No such file or directory",
    )
    (tmp_path / "folder.npy").mkdir()
    refused(f"{tmp_path}/folder.npy", f"Cannot read {tmp_path}/folder.npy: Is a directory")
    path = tmp_path / "x.safetensors"
    save_file({"a": example(np.float32), "b": example(np.float32)}, path)
    refused(f"{path}:w", f"{path}: no tensor 'w'; it has 'a', 'b'")
    refused(path, f"{path}: name a tensor as {path}:TENSOR; the file has 'a', 'b'")


@pytest.mark.parametrize("name", ["x.txt", "x", "x.npz", "x.safetensors.bak"])
def test_other_names(tmp_path, name):
    refused(
        tmp_path / name,
        f"File must be FILE.npy or FILE.safetensors:TENSOR, not {tmp_path / name}",
    )


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.complex64, np.bool_])
def test_other_types(tmp_path, dtype):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros((2, 32), dtype))
    name = np.dtype(dtype).name
    refused(path, f"{path}: Tensor must be float16, bfloat16, float32 or float64, not {name}")
    save_file({"x": np.zeros((2, 32), dtype)}, tmp_path / "x.safetensors")
    spec = f"{tmp_path}/x.safetensors:x"
    refused(spec, f"{spec}: Tensor must be float16, bfloat16, float32 or float64, not {name}")


@pytest.mark.parametrize("shape", [(0,), (3, 0), (0, 32)])
def test_empty_tensors(tmp_path, shape):
    path = tmp_path / "x.npy"
    np.save(path, np.zeros(shape, np.float32))
    refused(path, f"{path}: Tensor must not be empty, but its shape is {shape}")


def test_single_numbers(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.float32(3))
    refused(path, f"{path}: Tensor must have at least one axis, not be a single number")


def test_objects(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, np.array([{}], object), allow_pickle=True)
    refused(path, f"{path}: tensor must be of floats, not of Python objects")


def test_truncated_npy(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, example(np.float32))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    refused(path, f"{path}: truncated: float32 of shape (4, 64) does not fit the file")
    for length in (0, 5, 9, 60, 127):
        path.write_bytes(whole[:length])
        refused(path, f"{path}: not a NumPy file, or its header is damaged")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"'<f4'", b"'<q9'"),
        (b"'<f4'", b"[][0]"),
        (b"(4, 64)", b"(-4, 9)"),
        (b"(4, 64)", b"(4, 6\\)"),
        (b"'shape'", b"'shope'"),
        (b"{'descr", b"{{{{{{{"),
        (b"NUMPY\x01", b"NUMPY\x09"),
    ],
)
def test_damaged_headers(tmp_path, old, new):
    path = tmp_path / "x.npy"
    np.save(path, example(np.float32))
    path.write_bytes(path.read_bytes().replace(old, new))
    refused(path, f"{path}: not a NumPy file, or its header is damaged")


def test_archives_and_text_named_npy(tmp_path):
    path = tmp_path / "x.npy"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "y")
    refused(path, f"{path}: not a NumPy file, or its header is damaged")
    path.write_text("1.0 2.0 3.0\n")
    refused(path, f"{path}: not a NumPy file, or its header is damaged")
