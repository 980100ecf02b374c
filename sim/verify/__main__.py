"""``python -m sim.verify``: proofs, mutants, netlists and campaigns, and the page about them."""

import sys
import time
import warnings
from pathlib import Path

from amaranth.hdl import UnusedElaboratable

from golden import InputError
from golden.cli import Parser

from . import netlists, report, results, tasks
from .campaigns.registry import CAMPAIGNS
from .proofs.registry import PROOFS

#: What there is to run, in this order; the short form is without the last two.
STEPS = ("coverage", "campaigns", "proofs", "mutants", "refutations", "netlists")
QUICK_STEPS = STEPS[:4]


def main() -> int:
    """Run what is asked for, record it and write the page; 1 if anything failed."""
    warnings.simplefilter("ignore", UnusedElaboratable)
    parser = Parser(prog="python -m sim.verify", description=__doc__)
    parser.add_argument("--full", action="store_true", help="all steps, proofs and cases")
    parser.add_argument("--only", nargs="+", choices=STEPS, metavar="STEP")
    parser.add_argument("--campaign", choices=CAMPAIGNS, help="this campaign only")
    parser.add_argument("--page", action="store_true", help="only write the page again")
    arguments = parser.parse_args()
    path = tasks.ROOT / "docs" / "verification.json"
    if not (tasks.ROOT / "tests" / "mutants").exists():
        parser.error("needs a checkout of the project, with its tests")
    try:
        failed = [] if arguments.page else _run(arguments, path)
        _page(path)
    except InputError as error:
        parser.error(str(error))
    for line in failed:
        print(f"FAILED {line}")
    return int(bool(failed))


def _run(arguments, path: Path) -> list[str]:
    failed = []
    wanted = arguments.only or (STEPS if arguments.full else QUICK_STEPS)
    for step in STEPS:
        if step not in wanted:
            continue
        start = time.monotonic()
        records, section, known = _step(step, arguments)
        found = results.load(path) | {"tools": results.tools()}
        results.save(path, results.merge(found, section, records, known))
        bad = [f"{step}: {name}: {r['error']}" for name, r in records.items() if r["error"]]
        failed += bad
        seconds = time.monotonic() - start
        print(f"{step}: {len(records) - len(bad)} of {len(records)} in {seconds:.0f} s", flush=True)
    return failed


def _step(step: str, arguments) -> tuple[dict[str, dict], str, list[str]]:
    """Return the records of a step, where they belong, and what names that place may have."""

    def say(line: str) -> None:
        print(f"  {step}: {line}", flush=True)

    if step == "campaigns":
        records = tasks.campaigns(arguments.full, say, arguments.campaign)
        return records, "campaigns" if arguments.full else "samples", list(CAMPAIGNS)
    if step == "proofs":
        return tasks.proofs(arguments.full, say), step, list(PROOFS)
    run = {
        "coverage": tasks.coverage,
        "refutations": tasks.refutations,
        "mutants": tasks.mutants,
        "netlists": netlists.all_checks,
    }[step]
    records = run(say)
    return records, step, list(records)


def _page(path: Path) -> None:
    """Write the page, with what interrupted campaigns have found so far."""
    found = results.load(path)
    done = found.get("campaigns", {})
    further = {
        name: record
        for name, record in tasks.unfinished().items()
        if name not in done
        or record["digest"] != done[name]["digest"]
        or record["cases"] > done[name]["cases"]
    }
    if further:
        results.save(path, results.merge(found, "campaigns", further, list(CAMPAIGNS)))
    results.write(path.with_suffix(".md"), report.document(results.load(path)))


if __name__ == "__main__":
    sys.exit(main())
