from pathlib import Path

from sim.verify import report, results

DOCS = Path(__file__).parents[2] / "docs"
FAILED = {"error": "3 wrong", "cases": 10, "date": "2026-01-02", "broken cell": "-"}


def test_everything_recorded_holds():
    found = results.load(DOCS / "verification.json")
    assert {"proofs", "refutations", "mutants", "campaigns", "tools"} <= found.keys()
    records = {name: r for section, part in found.items() if section != "tools"
               for name, r in part.items()}  # fmt: skip
    assert not [name for name, record in records.items() if record["error"]]


def test_page_without_results_and_with_failed_ones():
    assert "not run" in report.document({})
    page = report.document({"netlists": {"of a unit": FAILED}})
    assert "| of a unit | FAILED: 3 wrong | 10 | - |" in page


def test_results_are_merged_by_section(tmp_path):
    path = tmp_path / "verification.json"
    results.save(path, {"proofs": {"old": FAILED, "gone": FAILED}})
    merged = results.merge(results.load(path), "proofs", {"new": FAILED}, ["old", "new"])
    assert merged == {"proofs": {"old": FAILED, "new": FAILED}}
