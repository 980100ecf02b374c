"""What the simulation commands share: engine options, output checks, progress, verdicts."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from golden import InputError
from golden.commands.progress import progress_bar
from sim import engines


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how to simulate."""
    parser.add_argument(
        "--engine", choices=engines.NAMES, default=engines.NAMES[0], help="default: %(default)s"
    )
    parser.add_argument(
        "--stall",
        type=float,
        default=0.0,
        metavar="P",
        help="probability that a stream pauses in a cycle (default: 0)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the pauses (default: 0)")
    parser.add_argument("--vcd", type=Path, metavar="FILE", help="write waveforms")


def check_engine_arguments(args: argparse.Namespace) -> None:
    """Raise `InputError` unless the options of `add_engine_arguments` make sense."""
    if not 0 <= args.stall < 1:
        raise InputError(f"Stall must be at least 0 and less than 1, not {args.stall}")
    if args.vcd:
        check_writable(args.vcd)


def check_positive(name: str, value: int | None) -> None:
    """Raise `InputError` unless ``value`` is a positive integer or None."""
    if value is not None and value < 1:
        raise InputError(f"{name} must be a positive integer, not {value}")


def check_writable(path: Path) -> None:
    """Raise `InputError` if no file can be made at ``path``, so that no long run is in vain."""
    if path.exists() and not path.is_file():
        raise InputError(f"Cannot write {path}: it is not a regular file")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}") from None


@contextmanager
def stages() -> Iterator[tuple[Callable[[str], None], Callable[[int, int], None]]]:
    """Show progress on standard error: a bar on a terminal, else a line a stage.

    Yields
    ------
    stage : callable
        Begins the stage of that name.
    advance : callable
        Takes transfers made and their total, as ``Engine.run_streams`` reports them.
    """
    with progress_bar() as bar:
        task = bar.add_task("", total=None)

        def stage(name: str) -> None:
            bar.update(task, description=name, completed=0, total=None)
            if bar.disable:
                print(f"{name} ...", file=sys.stderr, flush=True)

        def advance(moved: int, total: int) -> None:
            bar.update(task, description="simulate", completed=moved, total=total)

        yield stage, advance


def print_table(rows: dict[str, str]) -> None:
    """Print names and values in two columns."""
    width = max(map(len, rows)) + 2
    for name, value in rows.items():
        print(f"{name:<{width}}{value}")
