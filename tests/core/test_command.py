import re

import numpy as np
import pytest

from tests.golden.commands import assert_refused, m2xfp


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(1)
    for name, shape in (("a", (3, 64)), ("w", (3, 64)), ("c", (3, 3)), ("cube", (1, 3, 3))):
        np.save(tmp_path / f"{name}.npy", rng.standard_normal(shape).astype(np.float32))
    return tmp_path


def arguments(folder, *more):
    base = ["sim", "core", "--activations", folder / "a.npy", "--weights", folder / "w.npy"]
    return [*base, "--columns", 2, "--rows", 2, "--engine", "amaranth", *more]


def test_verdict(folder):
    status, out, err = m2xfp(*arguments(folder, "--c", folder / "c.npy"))
    assert (status, err.splitlines()[0]) == (0, "quantize ...")
    assert re.fullmatch(
        r"product      3 x 64 by 3 x 64, m2xfp\n"
        r"core         2 columns, 2 rows, engine amaranth\n"
        r"cycles       \d+ busy; stalled on activations 0, weights 0, c \d+, results 0\n"
        r"MAC/cycle    \d+\.\d, \d+\.\d\d% of 64\n"
        r"NaN results  0\n"
        r"flags        none\n"
        r"verdict      PASS: 9 outputs compared, all bits agree with golden\n",
        out,
    )


def test_a_wrong_core_fails(folder, monkeypatch):
    """What is compared is the gateware: a tile that adds no C differs."""
    from hdl.core.initial import InitialFeeder

    def elaborate(self, platform):
        m = original(self, platform)
        m.d.comb += self.o.payload[31].eq(~self.i.payload[31])
        return m

    original = InitialFeeder.elaborate
    monkeypatch.setattr(InitialFeeder, "elaborate", elaborate)
    status, out, _ = m2xfp(*arguments(folder, "--c", folder / "c.npy"))
    assert status == 1
    assert "verdict      FAIL: 6 of 9 outputs differ from golden\n  row 0, column 0\n" in out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--buffer-groups", 3], "Activation buffer must hold 4 groups, not 3"),
        (["--columns", 0], "Columns must be a positive integer, not 0"),
        (["--rows", 1], "Rows must be an integer from 2 to 65535, not 1"),
        (["--quantize"], "Columns must be a multiple of 32 for quantized output, not 2"),
    ],
)
def test_refused(folder, options, message):
    assert_refused(folder, message, *arguments(folder, *options))


def test_c_of_another_shape(folder):
    status, _, err = m2xfp(*arguments(folder, "--c", folder / "cube.npy"))
    assert status == 2
    assert err.splitlines()[-1].startswith("m2xfp: error: ")
