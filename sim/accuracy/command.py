"""``m2xfp accuracy``: what the formats cost a real language model."""

import argparse
import os
import sys
from pathlib import Path

from golden import InputError, formats
from golden.commands.progress import progress_bar

from . import extra
from .configuration import EXTRAS, Encoding, default_encodings, parse_encoding

#: Tokens that are scored unless others are asked for.
TOKENS = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``m2xfp accuracy``."""
    parser.add_argument(
        "--formats",
        nargs="+",
        metavar="FORMAT[:RULE][+calibrated]",
        help=f"of {', '.join(formats.names())}, with a scale rule; default: all, and "
        + ", ".join(EXTRAS),
    )
    parser.add_argument(
        "--tokens", type=int, default=TOKENS, metavar="N", help="to score; default: %(default)s"
    )
    parser.add_argument(
        "--results",
        type=Path,
        default=Path("build/accuracy/results.jsonl"),
        metavar="FILE",
        help="what was computed before and is now; default: %(default)s",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FOLDER", help="write accuracy.md and its pictures there"
    )
    parser.add_argument(
        "--study", action="store_true", help="measure the variants that were tried as well"
    )
    parser.add_argument(
        "--no-gateware", action="store_true", help="leave out the block on the simulated tile"
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate, print the tables, and return 1 if the gateware differs from golden, else 0."""
    if args.tokens < 1:
        raise InputError(f"Tokens must be a positive integer, not {args.tokens}")
    encodings = _encodings(args.formats)
    extra.check()
    # Threads of PyTorch that wait must not spin: the sequences are what runs side by side.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from . import extension, report, tables
    from .run import evaluate
    from .study.run import evaluate as study
    from .study.section import section

    with progress_bar() as bar:
        shown = _Shown(bar)
        results = evaluate(
            encodings, args.tokens, args.results, shown, gateware=not args.no_gateware
        )
        if args.study:
            results.study = study(args.results, shown)
    print(tables.decoder(results))
    for findings in (report.reading(results), extension.goals(results)):
        if findings:
            print(f"\n{findings}")
    if results.study:
        print(f"\n{section(results.study)}")
    if results.gateware:
        print(f"\n{report.gateware_sentence(results.gateware)}")
    if args.report:
        report.write(results, args.report)
        print(f"\nWrote {args.report / 'accuracy.md'}")
    return int(bool(results.gateware and results.gateware["mismatches"]))


def _encodings(names: list[str] | None) -> tuple[Encoding, ...]:
    if names is None:
        return default_encodings()
    return tuple(dict.fromkeys(parse_encoding(name) for name in names))


class _Shown:
    """Progress on standard error: a bar on a terminal, else a line a task."""

    def __init__(self, bar):
        self._bar = bar
        self._task = bar.add_task("", total=None)

    def begin(self, name: str, steps: int) -> None:
        """Begin a task of some steps."""
        self._bar.update(self._task, description=name, completed=0, total=steps)
        if self._bar.disable:
            print(f"{name} ...", file=sys.stderr, flush=True)

    def advance(self) -> None:
        """End a step."""
        self._bar.advance(self._task)
