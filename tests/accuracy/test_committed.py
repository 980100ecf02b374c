"""The page in docs/ says what the figures beside it say."""

import json
from pathlib import Path

import pytest

from sim.accuracy import extension, report, tables
from sim.accuracy.configuration import Mode, default_encodings
from sim.accuracy.results import Results
from sim.accuracy.study import section

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def page():
    return (DOCS / "accuracy.md").read_text()


@pytest.fixture(scope="module")
def results():
    lines = (DOCS / "accuracy" / "results.jsonl").read_text().splitlines()
    facts, base, *records = [json.loads(line) for line in lines]
    results = Results(
        facts["tokens"],
        facts["text"],
        facts["calibration_tokens"],
        facts["calibration_text"],
        baseline=base,
    )
    encodings = {encoding.label: encoding for encoding in default_encodings()}
    parts = {"decoder": results.decoder, "embedder": results.embedding}
    for record in records:
        key = encodings[record["encoding"]], Mode(record["quantized"])
        parts[record["model"]][key] = record
    return results


def test_every_default_is_there(results):
    wanted = {(encoding, mode) for encoding in default_encodings() for mode in Mode}
    assert set(results.decoder) == set(results.embedding) == wanted
    assert {len(found["kl"]) for found in results.decoder.values()} == {16}
    assert results.tokens >= 4096


def test_tables(page, results):
    for table in (
        tables.decoder(results),
        tables.reductions(results, report.pairs(results)),
        tables.embedder(results),
    ):
        assert table in page


def test_beyond_the_paper(page, results):
    assert extension.section(results) in page


def test_study(page):
    records = section.kept(DOCS / "accuracy" / "study.jsonl")
    assert section.section(records) in page
    assert {len(record["kl"]) for record in records} == {8}


def test_the_gateware_agreed(page):
    assert "outputs are bit for bit those of the same block" in " ".join(page.split())
