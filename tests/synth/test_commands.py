import json

import pytest

from golden.cli import main
from synth import liberty
from tests.golden.commands import assert_refused, m2xfp

from .components import BlackBox


def test_tables_and_json(tmp_path):
    file = tmp_path / "figures.json"
    status, out, err = m2xfp("synth", "decode", "--target", "generic", "ice40", "--json", file)
    assert status == 0
    assert "decode" in out
    assert "generic: mapping decode" in err
    document = json.loads(file.read_text())
    generic, ice40 = document["results"]
    assert (generic["unit"], generic["target"], generic["format"]) == ("decode", "generic", "m2xfp")
    assert generic["figures"]["gates"] == sum(generic["cells"].values())
    assert ice40["figures"]["LUT4"] == ice40["cells"]["SB_LUT4"]
    assert document["tools"]["yosys"]
    assert str(file) in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "0"], "Seeds must be a positive integer, not 0"),
        (["--period", "0"], "Period must be positive, not 0.0"),
        (["--period", "nan"], "Period must be positive, not nan"),
        (["--activity", "1.5"], "Activity must be between 0 and 1, not 1.5"),
        (["--columns", "0"], "Columns must be a positive integer, not 0"),
        (["--rows", "-3"], "Rows must be a positive integer, not -3"),
    ],
)
def test_refused_numbers(tmp_path, arguments, message):
    file = tmp_path / "figures.json"
    assert_refused(tmp_path, message, "synth", "tile", "--json", file, *arguments)


def test_refused_output(tmp_path):
    file = tmp_path / "missing" / "figures.json"
    message = f"Cannot write {file}: No such file or directory"
    assert_refused(tmp_path, message, "synth", "decode", "--json", file)


def test_refused_names(tmp_path, capsys):
    for arguments in (["everything"], ["decode", "--target", "asic"], ["decode", "--format", "x"]):
        with pytest.raises(SystemExit) as end:
            main(["synth", *arguments])
        assert end.value.code == 2
        assert "invalid choice" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("library", "path", "packages"),
    [
        (False, False, ["qflow-tech-osu018", "opensta"]),
        (True, False, ["opensta"]),
    ],
)
def test_missing_packages_are_named(tmp_path, monkeypatch, library, path, packages):
    file = tmp_path / "osu018_stdcells.lib"
    if library:
        file.write_text("library(osu018_stdcells) {}\n")
    monkeypatch.setattr(liberty, "OSU018", file)
    monkeypatch.setenv("PATH", str(tmp_path))
    message = (
        f"Target osu018 needs the Debian package(s) {' and '.join(packages)}: "
        f"apt-get install {' '.join(packages)}"
    )
    json_file = tmp_path / "figures.json"
    arguments = ("synth", "decode", "--target", "osu018", "--json", json_file)
    assert_refused(tmp_path, message, *arguments)
    assert_refused(tmp_path, message, "report", "--output", tmp_path / "docs")


def test_a_black_box_is_a_failure_without_figures(tmp_path, monkeypatch):
    monkeypatch.setitem(main.__globals__["COMMANDS"], "synth", ("synth.commands", "synthesize"))
    monkeypatch.setitem(synth_units(), "decode", lambda parameters: BlackBox())
    file = tmp_path / "figures.json"
    status, out, err = m2xfp("synth", "decode", "--target", "generic", "--json", file)
    assert status == 1
    assert out == ""
    assert "decode on generic: Yosys failed: Module `\\multiplier_ip'" in err
    assert list(tmp_path.iterdir()) == []


def synth_units():
    from hdl.units import UNITS

    return UNITS
