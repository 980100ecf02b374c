"""docs/board.md shows what ``m2xfp build`` prints."""

from pathlib import Path

import pytest

from synth.board.boards import BOARDS
from tests.golden.commands import m2xfp

PAGE = (Path(__file__).parents[2] / "docs" / "board.md").read_text()
pytestmark = pytest.mark.boards


@pytest.mark.parametrize("board", BOARDS)
def test_a_board_is_built_as_shown(board, tmp_path):
    folder = tmp_path / board
    status, out, err = m2xfp("build", board, "--output", folder)
    assert (status, err) == (0, "")
    shown = f"`m2xfp build {board}` prints:\n\n```\n{out}```\n"
    assert shown.replace(str(folder), f"build/{board}") in PAGE


@pytest.mark.parametrize("format", ["mxfp4", "m2xfp"])
def test_a_format_does_not_fit_as_shown(format, tmp_path):
    status, out, err = m2xfp("build", "icebreaker", "--format", format, "--output", tmp_path / "b")
    message = err.removeprefix("m2xfp: error: ").strip()
    assert (status, out) == (1, "")
    assert f"- `m2xfp build icebreaker --format {format}`: `{message}`" in PAGE
