"""Runs one proof or one campaign in a process of its own; the result is a line of JSON."""

import json
import sys
import time
import warnings
from pathlib import Path

from amaranth.hdl import UnusedElaboratable

from .checker import Checker, ProofError

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Run ``proof NAME`` or ``campaign NAME CASES FILE``.

    Returns
    -------
    int
        0 if it holds, 1 if it does not.
    """
    # Proofs build components to ask for their ports.
    warnings.simplefilter("ignore", UnusedElaboratable)
    kind, name, *rest = arguments
    return _proof(name) if kind == "proof" else _campaign(name, int(rest[0]), Path(rest[1]))


def _proof(name: str) -> int:
    from .proofs.registry import PROOFS

    check, start, error = Checker(), time.monotonic(), None
    try:
        PROOFS[name].run(check)
    except ProofError as reason:
        error = f"{type(reason).__name__}: {reason}"
    outcome = {
        "proved": check.proved,
        "covered": check.covered,
        "seconds": round(time.monotonic() - start, 1),
        "error": error,
    }
    print(json.dumps(outcome))
    return int(error is not None)


def _campaign(name: str, cases: int, file: Path) -> int:
    """Continue the tally in ``file``, if it is of the same gateware, and write it as it grows."""
    from .campaigns.registry import CAMPAIGNS
    from .campaigns.runner import Tally

    campaign = CAMPAIGNS[name]
    library, digest = campaign.library()
    state = {"digest": digest, "seed": campaign.seed}
    tally = Tally()
    if file.exists():
        saved = json.loads(file.read_text())
        if {key: saved[key] for key in state} == state:
            tally = Tally(**saved["tally"])
    for _ in campaign.run(library, cases, tally):
        file.write_text(json.dumps(state | {"tally": vars(tally)}))
        print(f"{name}: {tally.cases} of {cases}", file=sys.stderr, flush=True)
    missed = campaign.missed(tally)
    error = None
    if tally.wrong:
        error = f"{tally.wrong} wrong, such as case {tally.first_wrong[0]}"
    elif missed:
        error = f"no case of {', '.join(missed)}"
    print(json.dumps(state | vars(tally) | {"error": error}))
    return int(error is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
