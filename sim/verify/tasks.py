"""Proofs, mutants, campaigns and netlists as processes, two at a time."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

from .campaigns.registry import CAMPAIGNS
from .proofs.registry import PROOFS
from .results import today

__all__ = [
    "ROOT",
    "campaigns",
    "coverage",
    "mutants",
    "parallel",
    "proofs",
    "refutations",
    "unfinished",
]

#: The checkout: seeded bugs and tests are not part of the installed package.
ROOT = Path(__file__).parents[2]
_WORKER = "import sys; from sim.verify.worker import main; sys.exit(main(sys.argv[1:]))"
_MUTATED = f"import tests.mutants.plugin; {_WORKER}"

Record = dict[str, object]


def _worker(arguments: list[str], mutant: str | None = None) -> Record:
    """Run a worker and return its result; ``error`` says what kept it from one."""
    code, environment = _WORKER, dict(os.environ)
    if mutant:
        from tests.mutants.killing import VARIABLE

        code, environment[VARIABLE] = _MUTATED, mutant
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 1) or not done.stdout:
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        return {"error": f"Failed: {last}", "failed": True}
    return json.loads(done.stdout.splitlines()[-1]) | {"date": today()}


def parallel(work: Iterable, run: Callable, say: Callable[[str], None]) -> dict[str, Record]:
    """Run each named piece of work, two at a time, and return the results by name."""
    results = {}
    with ThreadPoolExecutor(2) as pool:
        names = list(work)
        for name, record in zip(names, pool.map(run, names), strict=True):
            results[name] = record
            say(f"{name}: {record.get('error') or 'ok'}")
    return results


def proofs(full: bool, say: Callable[[str], None]) -> dict[str, Record]:
    """Run every proof, or those that take seconds."""
    names = [name for name, proof in PROOFS.items() if full or proof.quick]
    return parallel(names, lambda name: _worker(["proof", name]), say)


def refutations(say: Callable[[str], None]) -> dict[str, Record]:
    """Run every proof on each of the seeded bugs that it must refute.

    A proof that ends in any other way than a counterexample, or a situation that became
    unreachable, has not refuted the bug.
    """
    pairs = {f"{p.name} / {bug}": (p.name, bug) for p in PROOFS.values() for bug in p.mutants}

    def run(key: str) -> Record:
        name, bug = pairs[key]
        record = _worker(["proof", name], bug)
        found = record["error"]
        survived = found is None or "failed" in record or found.startswith("Undecided")
        return record | {
            "proof": name,
            "mutant": bug,
            "found": found,
            "error": f"not refuted: {found}" if survived else None,
        }

    return parallel(pairs, run, say)


def mutants(say: Callable[[str], None]) -> dict[str, Record]:
    """Run the test that must catch each seeded bug."""
    from tests.mutants.catalogue import MUTANTS
    from tests.mutants.killing import kill

    bugs = {bug.name: bug for bug in MUTANTS}

    def run(name: str) -> Record:
        bug = bugs[name]
        caught, _ = kill(bug)
        error = None if caught else "survived"
        return {"file": bug.file, "killer": bug.killer, "error": error, "date": today()}

    return parallel(bugs, run, say)


def coverage(say: Callable[[str], None]) -> dict[str, Record]:
    """Count how often the random operands of the tests hit each class."""
    file = ROOT / "build" / "verify" / "coverage.xml"
    file.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # The other family of reports has no properties.
    command += ["-o", "junit_family=xunit1", f"--junitxml={file}"]
    done = subprocess.run(
        [*command, "tests/proofs/test_coverage.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    found = {}
    for case in ElementTree.parse(file).iter("testcase"):
        error = None if case.find("failure") is None else "a class was not hit"
        for entry in case.iter("property"):
            classes = json.loads(entry.attrib["value"])
            found[entry.attrib["name"]] = {"classes": classes, "error": error, "date": today()}
            for name, count in classes.items():
                say(f"{entry.attrib['name']}: {name}: {count:,}")
    if done.returncode:
        found["all classes"] = {"classes": {}, "error": "a test failed", "date": today()}
    return found


def unfinished() -> dict[str, Record]:
    """Return what interrupted runs of full campaigns have found so far."""
    found = {}
    for name in CAMPAIGNS:
        file = _state(name, full=True)
        if file.exists():
            state = json.loads(file.read_text())
            tally = state.pop("tally")
            error = f"{tally['wrong']} wrong" if tally["wrong"] else None
            date = datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%d")
            found[name] = state | tally | {"error": error, "date": date}
    return found


def _state(name: str, full: bool) -> Path:
    """Return where a campaign keeps how far it is."""
    kind = "full" if full else "sample"
    return ROOT / "build" / "verify" / f"{name.replace(' ', '-')}-{kind}.json"


def campaigns(full: bool, say: Callable[[str], None], only: str | None = None) -> dict[str, Record]:
    """Run every campaign, in full or a sample of it; what an earlier run did is not done again."""
    _state("", full).parent.mkdir(parents=True, exist_ok=True)

    def run(name: str) -> Record:
        campaign = CAMPAIGNS[name]
        cases = campaign.cases if full else campaign.sample
        return _worker(["campaign", name, str(cases), str(_state(name, full))])

    names = [name for name in CAMPAIGNS if only in (None, name)]
    return parallel(names, run, say)
