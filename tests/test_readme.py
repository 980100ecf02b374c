"""The README's examples print what the README says."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from golden import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SIM = re.search(r"golden model.*?:\n\n```text\n(.*?)```", README, re.S).group(1)


def sim_command():
    """Return the arguments of the command that `make sim` runs."""
    printed = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", "--assume-old=.venv/.ready", "sim"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    line = next(line for line in printed.splitlines() if "m2xfp" in line and " sim " in line)
    return shlex.split(line)[1:]


def test_make_sim_prints_what_is_shown(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(sim_command()) == 0
    assert capsys.readouterr().out == SIM


def test_golden_example(capsys):
    code, printed = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.S).groups()
    exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out == printed


def test_files_that_are_linked_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_options_that_are_shown_exist(capsys):
    shown = README.replace("\\\n", " ")
    commands = re.findall(r"^\$ m2xfp (.*?)(?: +#.*)?$", shown, re.M)
    assert len(commands) >= 5
    for command in commands:
        words = shlex.split(command)
        path = words[:2] if words[0] == "sim" else words[:1]
        with pytest.raises(SystemExit, match=r"^0$"):
            cli.main([*path, "--help"])
        help_text = capsys.readouterr().out
        for word in words:
            if word.startswith("--"):
                assert word in help_text, command
