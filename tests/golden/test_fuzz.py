"""Damaged, renamed, wrongly shaped and wrongly typed files to every command that reads files.

Whatever comes, a command ends with status 0, or with status 2, one line on standard error and no
file left behind.
"""

import ml_dtypes
import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from golden import formats

from .commands import m2xfp

ROUNDS = 60


@pytest.fixture
def sources(tmp_path):
    """Whole files of every kind that a command reads."""
    folder = tmp_path / "sources"
    folder.mkdir()
    rng = np.random.default_rng(28)
    x = rng.standard_normal((4, 64)).astype(np.float32)
    np.save(folder / "x.npy", x)
    save_file({"x": x, "y": x.astype(ml_dtypes.bfloat16)}, folder / "floats.safetensors")
    for name in formats.names():
        packed = folder / f"{name}.safetensors"
        arguments = ("--role", "weights", "--format", name)
        assert m2xfp("quantize", folder / "x.npy", packed, *arguments)[0] == 0
    return sorted(folder.iterdir())


def command_lines(path, work):
    """Every way to hand `path` to a command."""
    out = work / "out"
    for source in (path, f"{path}:x", f"{path}:"):
        for format in ("m2xfp", "nvfp4"):
            options = ("--role", "weights", "--format", format)
            yield "quantize", source, f"{out}.safetensors", *options
        yield "dequantize", source, f"{out}.safetensors"
        yield "dequantize", source, f"{out}.npy"
        yield "inspect", source
    yield "inspect", path.parent / "whole.safetensors", "--original", path
    yield "vectors", path / "folder"
    yield "vectors", path


def check_all(path, work):
    """Run every command line; return how many were refused."""
    refused = 0
    for arguments in command_lines(path, work):
        before = sorted(work.iterdir())
        status, _, err = m2xfp(*arguments)
        if status == 0:
            assert err == ""
            for new in set(work.iterdir()) - set(before):
                new.unlink()
            continue
        assert status == 2, (arguments, err)
        assert err.startswith("m2xfp: error: "), arguments
        assert err.count("\n") == 1, arguments
        assert "Traceback" not in err
        assert sorted(work.iterdir()) == before, arguments
        refused += 1
    return refused


@pytest.fixture
def work(tmp_path, sources):
    work = tmp_path / "work"
    work.mkdir()
    whole = next(p for p in sources if p.name == "m2xfp.safetensors")
    (work / "whole.safetensors").write_bytes(whole.read_bytes())
    return work


def test_truncated_files(sources, work):
    rng = np.random.default_rng(29)
    for _ in range(ROUNDS):
        source = rng.choice(sources)
        data = source.read_bytes()
        path = work / f"a{source.suffix}"
        path.write_bytes(data[: rng.integers(0, len(data))])
        assert check_all(path, work) > 5


def test_flipped_header_bytes(sources, work):
    rng = np.random.default_rng(30)
    for _ in range(2 * ROUNDS):
        source = rng.choice(sources)
        data = bytearray(source.read_bytes())
        for _ in range(rng.integers(1, 4)):
            data[rng.integers(0, min(len(data), 400))] = rng.integers(0, 256)
        path = work / f"a{source.suffix}"
        path.write_bytes(data)
        check_all(path, work)


def test_renamed_files(sources, work):
    for source in sources:
        for suffix in (".npy", ".safetensors", ".txt", ""):
            path = work / f"a{suffix}"
            path.write_bytes(source.read_bytes())
            check_all(path, work)
            path.unlink()


@pytest.mark.parametrize("shape", [(), (0,), (4, 0), (4, 31), (3,), (2, 2, 33)])
def test_wrong_shapes(work, shape):
    x = np.ones(shape, np.float32)
    np.save(work / "a.npy", x)
    assert check_all(work / "a.npy", work) > 10
    save_file({"x": x}, work / "a.safetensors")
    assert check_all(work / "a.safetensors", work) > 10


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.uint16, np.complex64, np.bool_, "U4"])
def test_wrong_types(work, dtype):
    x = np.zeros((4, 64), dtype)
    np.save(work / "a.npy", x)
    assert check_all(work / "a.npy", work) > 10
    if x.dtype.kind != "U":
        save_file({"x": x}, work / "a.safetensors")
        assert check_all(work / "a.safetensors", work) > 10


def test_packed_arrays_that_contradict_each_other(work, sources):
    rng = np.random.default_rng(31)
    packed = [p for p in sources if p.stem in formats.names()]
    for _ in range(ROUNDS):
        with safe_open(rng.choice(packed), "numpy") as file:
            metadata = file.metadata()
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        name = rng.choice(sorted(arrays))
        change = rng.integers(0, 5)
        if change == 0:
            del arrays[name]
        elif change == 1:
            arrays[name] = arrays[name].astype(np.int16)
        elif change == 2:
            arrays[name] = arrays[name][..., :-1].copy()
        elif change == 3:
            arrays[name] = arrays[name].reshape(-1)[:0]
        else:
            metadata[rng.choice(sorted(metadata))] = "other"
        save_file(arrays, work / "a.safetensors", metadata)
        check_all(work / "a.safetensors", work)
