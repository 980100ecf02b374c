import json
from pathlib import Path

import pytest

from sim.model import network, report
from sim.model.machine import Machine
from tests.golden.commands import assert_refused, m2xfp

DOCS = Path(__file__).parents[3] / "docs"

TINY = 'name = "Tiny"\nblocks = 2\n[layers]\na = { n = 64, k = 128 }\nb = { n = 32, k = 64 }\n'


@pytest.fixture
def tiny(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


def test_the_committed_page_is_what_the_model_says():
    """On a difference: m2xfp model --report docs."""
    assert (DOCS / "performance.md").read_text(encoding="utf-8") == report.page()


def test_the_report_is_written_with_its_pictures(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "page", lambda: "page")
    monkeypatch.setattr(report, "ratios", lambda net, share: [1 + share] * 7)
    status, out, _ = m2xfp("model", "--report", tmp_path)
    assert status == 0
    pictures = [f"performance-{name}.svg" for name in ("roofline", "layers", "formats")]
    assert out.split() == [str(tmp_path / name) for name in ("performance.md", *pictures)]
    for name in pictures:
        assert "<svg" in (tmp_path / name).read_text()
        assert name in (DOCS / "performance.md").read_text()
        assert (DOCS / name).is_file()


def test_tables_and_json(tmp_path, tiny):
    file = tmp_path / "figures.json"
    status, out, err = m2xfp("model", "--network", tiny, "--tokens", 8, "--json", file)
    assert (status, err) == (0, "")
    assert "Tiny, prefill of 8 tokens" in out
    assert "Tiny, decode of one token" in out
    document = json.loads(file.read_text())
    decode = document["phases"]["decode"]
    assert [layer["name"] for layer in decode["layers"]] == ["a", "b"]
    # One token: a group of weights a cycle, 31 of them ahead; the row, and what a command takes.
    latency = Machine().core("m2xfp", 128).tile.latency
    assert decode["layers"][0]["cycles"] == 31 + (2 * 4 - 1) * 32 + 1 + latency + 8 + 4 + 11
    assert decode["network"]["cycles"] == 2 * decode["block"]["cycles"]
    assert f"{decode['network']['cycles']:.0f}" in out
    assert decode["layers"][0]["bits"]["weights metadata"] == 64 * 4 * 8


def test_fallback_by_layer_and_tensor(tmp_path, tiny):
    file = tmp_path / "figures.json"
    m2xfp("model", "--network", tiny, "--fallback", "0.5", "a=0", "b.weights=1", "--json", file)
    a, b = json.loads(file.read_text())["phases"]["decode"]["layers"]
    assert a["bits"]["weights elements"] == 64 * 128 * 4
    assert a["bits"]["activations elements"] == 128 * 4
    assert b["bits"]["weights elements"] == 32 * 64 * 8
    assert b["bits"]["activations elements"] == 64 * 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--tokens", "0"], "Tokens must be a positive integer, not 0"),
        (["--array", "32"], "Array must be lanes x columns, as 32x32, not '32'"),
        (["--array", "0x8"], "Lanes must be positive, not 0"),
        (
            ["--array", "20x1"],
            "Array must be of whole columns of 32 lanes for m2xfp, not 20x1",
        ),
        (["--clock", "-1"], "Clock must be positive, not -1.0"),
        (["--bandwidth", "inf"], "Bandwidth must be positive, not inf"),
        (["--rows", "0"], "Rows must be positive, not 0"),
        (
            ["--buffers", "1,2"],
            "Buffers must be three sizes in KiB, as 144,144,36, not '1,2'",
        ),
        (["--fallback", "2"], "Fallback share must be between 0 and 1, not '2'"),
        (["--fallback", "a=nan"], "Fallback share must be between 0 and 1, not 'nan'"),
        (["--fallback", "c=1"], "Fallback must name one of a, b, not 'c'"),
        (["--fallback", "a.c=1"], "Fallback must be of weights or activations, not 'c'"),
    ],
)
def test_refused_options(tmp_path, tiny, arguments, message):
    assert_refused(tmp_path, message, "model", "--network", tiny, *arguments)


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("name = 1", ["name must be a string, not 1", "blocks must be a positive integer, not None",
                      "layers must be a table of layers, not None"]),
        (TINY + "c = 3", ["Layer c must have n and k, not 3"]),
        (TINY + "c = { n = 1 }", ["Layer c must have n and k, not {'n': 1}"]),
        (TINY + "c = { n = 0, k = true }", ["Layer c: n must be a positive integer, not 0",
                                            "Layer c: k must be a positive integer, not True"]),
        ("size = 1\n" + TINY, ["Key must be one of name, blocks, layers, not 'size'"]),
    ],
)  # fmt: skip
def test_refused_networks(tmp_path, text, mistakes):
    path = tmp_path / "net.toml"
    path.write_text(text)
    message = "\n".join(f"{path}: {mistake}" for mistake in mistakes)
    assert_refused(tmp_path, message, "model", "--network", path)


def test_refused_files(tmp_path):
    known = ", ".join(network.names())
    message = f"Network must be one of {known} or a .toml file, not 'gpt'"
    assert_refused(tmp_path, message, "model", "--network", "gpt")
    path = tmp_path / "none.toml"
    assert_refused(
        tmp_path, f"Cannot read {path}: No such file or directory", "model", "--network", path
    )
    path.write_text(TINY.replace("64 }", "70 }"))
    message = "Last axis K must be a multiple of 32 for m2xfp, not 70"
    assert_refused(tmp_path, message, "model", "--network", path)
