import re

import numpy as np
import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from safetensors.numpy import save_file

import golden
from hdl.tile import SystolicTile
from sim import gemm
from tests.golden.commands import assert_refused, m2xfp


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(1)
    np.save(tmp_path / "a.npy", rng.standard_normal((5, 64)).astype(np.float32))
    save_file(
        {"w": rng.standard_normal((3, 64)), "wide": np.ones((3, 96)), "cube": np.ones((1, 3, 64))},
        tmp_path / "w.safetensors",
    )
    np.save(tmp_path / "odd.npy", np.ones((5, 33)))
    np.save(tmp_path / "line.npy", np.ones(64))
    np.save(tmp_path / "none.npy", np.ones((0, 64)))
    np.save(tmp_path / "int.npy", np.ones((5, 64), int))
    np.save(tmp_path / "complex.npy", np.ones((5, 64), complex))
    special = rng.standard_normal((5, 64)).astype(np.float16)
    special[1, 2], special[3, 40] = np.nan, -np.inf
    np.save(tmp_path / "special.npy", special)
    return tmp_path


def arguments(folder, *more, a="a.npy", w="w.safetensors:w"):
    base = ["sim", "gemm", "--activations", folder / a, "--weights", folder / w]
    return [*base, "--columns", 2, "--rows", 4, *more]


def test_verdict_output_and_waveforms(folder):
    output, waves = folder / "c.npy", folder / "c.vcd"
    status, out, err = m2xfp(
        *arguments(folder, "--output", output, "--vcd", waves, "--engine", "amaranth")
    )
    assert status == 0
    assert re.fullmatch(
        r"product      5 x 64 by 3 x 64, m2xfp\n"
        r"tile         2 columns, 4 rows, engine amaranth\n"
        r"cycles       \d+, of which \d+ from the first to the last operand\n"
        r"MAC/cycle    \d+\.\d\n"
        r"utilization  \d+\.\d\d% of 64\n"
        r"verdict      PASS: 15 outputs compared, all bits agree with golden\n",
        out,
    )
    assert err.splitlines()[0] == "quantize ..."
    a = golden.quantize(np.load(folder / "a.npy"), "activations")
    w = golden.quantize(golden.load_tensor(f"{folder}/w.safetensors:w"), "weights")
    np.testing.assert_array_equal(np.load(output), golden.matmul(a, w))
    assert "$enddefinitions" in waves.read_text()


def test_slices_stalls_and_special_values(folder):
    """The fast engine, on the tile that other tests compile as well."""
    status, out, _ = m2xfp(
        *arguments(folder, "--max-rows", 4, "--max-channels", 2, a="special.npy"),
        *("--stall", 0.3, "--seed", 4, "--output", folder / "c.npy"),
    )
    assert (status, "PASS: 8 outputs" in out) == (0, True)
    result = np.load(folder / "c.npy")
    assert result.shape == (4, 2)
    assert (result[[1, 3]].view(np.uint32) == 0x7FC00000).all()
    assert np.isfinite(result[[0, 2]]).all()


class Flipped(SystolicTile):
    """A tile that inverts the lowest bit of column 1."""

    def elaborate(self, platform):
        m = Module()
        m.submodules.tile = tile = SystolicTile(self.format, columns=self.columns, rows=self.rows)
        wiring.connect(m, wiring.flipped(self.weights), tile.weights)
        wiring.connect(m, wiring.flipped(self.activations), tile.activations)
        m.d.comb += [
            self.results.valid.eq(tile.results.valid),
            tile.results.ready.eq(self.results.ready),
            self.results.payload.eq(tile.results.payload.as_value() ^ (1 << 32)),
        ]
        return m


class Stuck(SystolicTile):
    """A tile without results."""

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.weights.ready.eq(1), self.activations.ready.eq(1)]
        return m


def test_mismatches_are_listed(folder, monkeypatch):
    monkeypatch.setattr(gemm, "SystolicTile", Flipped)
    output, waves = folder / "c.npy", folder / "c.vcd"
    np.save(folder / "long.npy", np.ones((12, 64)))
    status, out, _ = m2xfp(
        *arguments(folder, "--output", output, "--vcd", waves, a="long.npy"),
        *("--engine", "amaranth"),
    )
    assert status == 1
    verdict, *listed = out.splitlines()[5:]
    assert verdict == "verdict      FAIL: 12 of 36 outputs differ from golden"
    a = golden.quantize(np.ones((12, 64)), "activations")
    w = golden.quantize(golden.load_tensor(f"{folder}/w.safetensors:w"), "weights")
    want = golden.matmul(a, w).view(np.uint32)[:, 1]
    assert listed == [
        *(
            f"  row {row}, column 1: got 0x{want[row] ^ 1:08x}, want 0x{want[row]:08x}"
            for row in range(10)
        ),
        "  and 2 more",
    ]
    # What is written are the gateware's numbers, wrong as they are, and the waveforms.
    np.testing.assert_array_equal(np.load(output).view(np.uint32)[:, 1], want ^ 1)
    assert waves.stat().st_size


def test_a_tile_that_hangs(folder, monkeypatch):
    monkeypatch.setattr(gemm, "SystolicTile", Stuck)
    status, out, err = m2xfp(
        *arguments(folder, "--output", folder / "c.npy", "--engine", "amaranth")
    )
    assert (status, out) == (1, "")
    assert re.search(r"m2xfp: error: Gave up after \d+ cycles, .*: results at 0 of 10\n$", err)
    assert not (folder / "c.npy").exists()


@pytest.mark.parametrize(
    ("a", "w", "message"),
    [
        ("a.npy", "w.safetensors:wide", "K must agree, not 64 in the activations and 96 in the "),
        ("odd.npy", "w.safetensors:w", "{}/odd.npy: Last axis K must be a multiple of 32 for m2x"),
        ("line.npy", "w.safetensors:w", "Activations must have two axes, not shape (64,)"),
        ("a.npy", "w.safetensors:cube", "Weights must have two axes, not shape (1, 3, 64)"),
        ("none.npy", "w.safetensors:w", "{}/none.npy: "),
        ("int.npy", "w.safetensors:w", "{}/int.npy: Tensor must be float16, bfloat16, float32 or"),
        ("complex.npy", "w.safetensors:w", "{}/complex.npy: Tensor must be float16, bfloat16, "),
        ("no.npy", "w.safetensors:w", "Cannot read {}/no.npy: No such file or directory"),
        ("a.npy", "w.safetensors:v", "{}/w.safetensors: "),
        ("a.npy", "w.safetensors", "{0}/w.safetensors: name a tensor as {0}/w.safetensors:TENSOR"),
    ],
)
def test_bad_tensors(folder, a, w, message):
    refused(folder, message.format(folder), arguments(folder, a=a, w=w))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--columns", 0), "Columns must be a positive integer, not 0"),
        (("--columns", -1), "Columns must be a positive integer, not -1"),
        (("--rows", 0), "Rows must be a positive integer, not 0"),
        (("--max-rows", 0), "Max rows must be a positive integer, not 0"),
        (("--max-channels", -2), "Max channels must be a positive integer, not -2"),
        (("--stall", 1), "Stall must be at least 0 and less than 1, not 1.0"),
        (("--stall", "nan"), "Stall must be at least 0 and less than 1, not nan"),
        (("--output", "no/c.npy"), "Cannot write no/c.npy: No such file or directory"),
        (("--output", "/"), "Cannot write /: it is not a regular file"),
        (("--vcd", "no/c.vcd"), "Cannot write no/c.vcd: No such file or directory"),
    ],
)
def test_bad_options(folder, options, message):
    assert_refused(folder, message, *arguments(folder, "--output", folder / "c.npy", *options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--engine", "icarus"), "argument --engine: invalid choice: 'icarus'"),
        (("--format", "fp4"), "argument --format: invalid choice: 'fp4'"),
        (("--columns", "two"), "argument --columns: invalid int value: 'two'"),
    ],
)
def test_bad_command_lines(folder, options, message):
    status, out, err = m2xfp(*arguments(folder, *options))
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"m2xfp sim gemm: error: {message}")


def refused(folder, start, command):
    """Check one line that begins so, status 2, and no new file."""
    before = sorted(folder.rglob("*"))
    status, out, err = m2xfp(*command, "--output", folder / "c.npy")
    assert (status, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"m2xfp: error: {start}")
    assert sorted(folder.rglob("*")) == before
