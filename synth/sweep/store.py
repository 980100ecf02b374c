"""The file of a sweep: one JSON line a point, which grows by whole lines only."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from golden import InputError

from .configuration import Point

__all__ = ["Store", "opened"]


class Store:
    """Outcomes of points on disk, of which the last for each point counts.

    Attributes
    ----------
    outcomes : dict
        Key of a point -> ``status`` and ``figures`` or ``message``.
    """

    def __init__(self, descriptor: int, path: Path):
        self._descriptor = descriptor
        self.outcomes: dict[str, dict] = {}
        with os.fdopen(os.dup(descriptor), "rb") as stream:
            text = stream.read()
        whole = text[: text.rfind(b"\n") + 1]
        for number, line in enumerate(whole.splitlines(), 1):
            point, outcome = _parse(line, f"{path}, line {number}")
            self.outcomes[point.key] = outcome
        # A machine that died while it wrote leaves a part of a line, which never was a point.
        os.ftruncate(descriptor, len(whole))

    def append(self, point: Point, outcome: dict) -> None:
        """Write a line, all at once, to the disk itself."""
        line = {"jobs": point.jobs, "parameters": point.values, **outcome}
        os.write(self._descriptor, json.dumps(line).encode() + b"\n")
        os.fsync(self._descriptor)
        self.outcomes[point.key] = outcome


def _parse(line: bytes, where: str) -> tuple[Point, dict]:
    try:
        record = json.loads(line)
        point = Point(tuple(record.pop("jobs")), dict(record.pop("parameters")))
        answer = {"done": "figures", "failed": "message"}[record["status"]]
        if set(record) != {"status", answer}:
            raise ValueError(f"keys {', '.join(record)}")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{where} must be a point of a sweep") from None
    return point, record


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open or create the file of a sweep, for this process alone.

    Raises
    ------
    InputError
        If it cannot be written, holds anything else, or another sweep is writing it.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"Cannot write {path}: it is not a regular file")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}") from None
    try:
        _lock(descriptor, path)
        try:
            yield Store(descriptor, path)
        finally:
            # A sweep that could not begin leaves no file.
            if not os.fstat(descriptor).st_size:
                path.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Between opening and locking another sweep may have removed its empty file.
        ours = os.path.samestat(os.fstat(descriptor), path.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:
        raise InputError(f"Cannot write {path}: another sweep is writing it")
