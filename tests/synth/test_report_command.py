"""`m2xfp report` writes both pages, with everything slow taken out of it."""

import pytest

from synth import liberty, report
from tests.golden.commands import m2xfp


@pytest.fixture
def written(monkeypatch):
    """Return the pages in the order in which they are written."""
    pages = []
    monkeypatch.setattr(report, "write", lambda folder, file: pages.append(("synthesis", folder)))
    monkeypatch.setattr(
        report.performance, "write", lambda folder: pages.append(("performance", folder))
    )
    return pages


def test_performance_follows_synthesis(tmp_path, written):
    assert m2xfp("report", "--output", tmp_path)[0] == 0
    assert written == [("synthesis", tmp_path), ("performance", tmp_path)]


def test_performance_is_not_of_another_baseline(tmp_path, written):
    assert m2xfp("report", "--output", tmp_path, "--baseline", tmp_path / "b.json")[0] == 0
    assert written == [("synthesis", tmp_path)]


def test_nothing_is_written_without_the_packages(tmp_path, monkeypatch):
    monkeypatch.setattr(liberty, "OSU018", tmp_path / "none.lib")
    assert m2xfp("report", "--output", tmp_path / "docs")[0] == 2
    assert list(tmp_path.iterdir()) == []
