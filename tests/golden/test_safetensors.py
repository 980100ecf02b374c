"""Safetensors files against the safetensors library, both ways, and broken ones."""

import json
import re

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

import golden
from golden.safetensors_io import DTYPES, SafetensorsFile, SafetensorsWriter, listed


def example_arrays():
    rng = np.random.default_rng(24)
    return {
        name: rng.integers(0, 2, (3, 5)).astype(dtype)
        for name, dtype in DTYPES.items()
        if name != "C64"
    }


def write(path, arrays, metadata):
    with open(path, "wb") as stream:
        announced = {name: (a.dtype, a.shape) for name, a in arrays.items()}
        writer = SafetensorsWriter(stream, announced, metadata)
        for name, array in arrays.items():
            writer.write(name, array)


def raw(path, header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_reads_what_the_library_writes(tmp_path):
    arrays = example_arrays()
    save_file(arrays, tmp_path / "a.safetensors", {"note": "of the library"})
    file = SafetensorsFile(tmp_path / "a.safetensors")
    assert file.metadata == {"note": "of the library"}
    assert set(file.entries) == set(arrays)
    for name, array in arrays.items():
        got = file.read(name)
        assert got.dtype == array.dtype
        np.testing.assert_array_equal(got, array)


def test_the_library_reads_what_is_written(tmp_path):
    arrays = {
        "packed": np.arange(12, dtype=np.uint8).reshape(3, 4),
        "floats": np.arange(3, dtype=np.float32),
        "empty": np.zeros((3, 0), np.uint8),
    }
    write(tmp_path / "a.safetensors", arrays, {"format": "m2xfp"})
    with safe_open(tmp_path / "a.safetensors", "numpy") as file:
        assert file.metadata() == {"format": "m2xfp"}
        assert set(file.keys()) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(file.get_tensor(name), array)


def test_tensors_must_be_written_as_announced(tmp_path):
    with open(tmp_path / "a", "wb") as stream:
        writer = SafetensorsWriter(stream, {"x": (np.uint8, (2,)), "y": (np.uint8, (2,))}, {})
        with pytest.raises(ValueError, match=r"^Tensor 'x' was announced next, not 'y'$"):
            writer.write("y", np.zeros(2, np.uint8))


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (b"{", b"", "not a safetensors file: bad header"),
        (b"[]", b"", "not a safetensors file: bad header"),
        (b"\xff\xfe", b"", "not a safetensors file: bad header"),
        (b"[" * 100_000, b"", "not a safetensors file: bad header"),
        ({"x": {}}, b"", "not a safetensors file: bad header"),
        ({"x": 3}, b"", "not a safetensors file: bad header"),
        ({"__metadata__": {"a": 1}}, b"", "not a safetensors file: bad header"),
        (
            {"x": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}},
            bytes(4),
            "not a safetensors file: bad header",
        ),
        (
            {"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}},
            bytes(4),
            "not a safetensors file: bad header",
        ),
        (
            {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}},
            bytes(4),
            "truncated: tensor 'x' ends beyond the file",
        ),
        (
            {"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},
            bytes(4),
            "tensor 'x' must have 8 bytes, not 4",
        ),
    ],
)
def test_broken_headers(tmp_path, header, data, message):
    path = raw(tmp_path / "a.safetensors", header, data)
    with pytest.raises(golden.InputError, match=f"^{re.escape(f'{path}: {message}')}$"):
        SafetensorsFile(path)


@pytest.mark.parametrize("length", [0, 3, 8, 20])
def test_truncated_files(tmp_path, length):
    arrays = example_arrays()
    save_file(arrays, tmp_path / "whole.safetensors")
    path = tmp_path / "a.safetensors"
    path.write_bytes((tmp_path / "whole.safetensors").read_bytes()[:length])
    message = re.escape(f"{path}: not a safetensors file, or truncated")
    with pytest.raises(golden.InputError, match=f"^{message}$"):
        SafetensorsFile(path)


def test_unknown_types_do_not_hide_the_other_tensors(tmp_path):
    header = {
        "odd": {"dtype": "F4", "shape": [2], "data_offsets": [0, 1]},
        "fine": {"dtype": "F32", "shape": [1], "data_offsets": [1, 5]},
    }
    path = raw(tmp_path / "a.safetensors", header, b"\x00" + np.float32(2.5).tobytes())
    assert golden.load_tensor(f"{path}:fine").tolist() == [2.5]
    message = re.escape(f"{path}: tensor 'odd' has type F4, which is not supported")
    with pytest.raises(golden.InputTypeError, match=f"^{message}$"):
        golden.load_tensor(f"{path}:odd")


def test_bfloat16_at_an_odd_offset(tmp_path):
    values = np.array([1.5, -2.0], ml_dtypes.bfloat16)
    header = {
        "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "b": {"dtype": "BF16", "shape": [2], "data_offsets": [1, 5]},
    }
    path = raw(tmp_path / "a.safetensors", header, b"\x07" + values.tobytes())
    np.testing.assert_array_equal(golden.load_tensor(f"{path}:b"), values)


def test_long_lists_are_cut():
    assert listed([]) == "no tensor"
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(map(str, range(10)), limit=2) == "'0', '1' and 8 more"
