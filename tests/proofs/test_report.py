from pathlib import Path

import pytest

from sim.verify import report, results
from sim.verify.campaigns.registry import CAMPAIGNS
from sim.verify.proofs.registry import PROOFS
from tests.mutants.catalogue import MUTANTS

DOCS = Path(__file__).parents[2] / "docs"
FOUND = results.load(DOCS / "verification.json")
FAILED = {"error": "3 wrong", "cases": 10, "date": "2026-01-02", "broken cell": "-"}


def test_everything_recorded_holds():
    records = {name: r for section, part in FOUND.items() if section != "tools"
               for name, r in part.items()}  # fmt: skip
    assert not [name for name, record in records.items() if record["error"]]


def test_the_page_is_that_of_the_records():
    assert (DOCS / "verification.md").read_text() == report.document(FOUND)


def test_records_are_of_the_present_catalogues():
    """Otherwise `make verify-full` has not been run since a proof or a bug came or went."""
    assert FOUND["proofs"].keys() == PROOFS.keys()
    pairs = {f"{p.name} / {bug}" for p in PROOFS.values() for bug in p.mutants}
    assert FOUND["refutations"].keys() == pairs
    mutants = {bug.name: (bug.file, bug.killer) for bug in MUTANTS}
    recorded = {name: (r["file"], r["killer"]) for name, r in FOUND["mutants"].items()}
    assert recorded == mutants


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_campaigns_were_run_on_the_present_gateware(name):
    """Otherwise `make verify-full` has not been run since gateware or check changed."""
    campaign = CAMPAIGNS[name]
    record = FOUND["samples" if campaign.exhaustive else "campaigns"][name]
    assert (record["digest"], record["cases"]) == (campaign.digest(), campaign.cases)
    assert all(record["classes"].get(each) for each in campaign.classes)


def test_page_without_results_and_with_failed_ones():
    assert "not run" in report.document({})
    page = report.document({"netlists": {"of a unit": FAILED}})
    assert "| of a unit | FAILED: 3 wrong | 10 | - |" in page


def test_results_are_merged_by_section(tmp_path):
    path = tmp_path / "verification.json"
    results.save(path, {"proofs": {"old": FAILED, "gone": FAILED}})
    merged = results.merge(results.load(path), "proofs", {"new": FAILED}, ["old", "new"])
    assert merged == {"proofs": {"old": FAILED, "new": FAILED}}
