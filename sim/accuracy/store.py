"""Results on disk, one JSON line each, so that a run that was stopped goes on where it was."""

import json
from collections.abc import Callable
from pathlib import Path

from golden import InputError


class Store:
    """A file of results, each under a key that says all it depends on.

    Parameters
    ----------
    path : Path
        The file, which need not exist yet. A last line that was cut short is ignored.

    Raises
    ------
    InputError
        If the file cannot be read or is something else.
    """

    def __init__(self, path: Path):
        self._path = path
        self._results: dict[str, dict] = {}
        if path.exists():
            self._read()

    def _read(self) -> None:
        try:
            *lines, tail = self._path.read_text().split("\n")
            for line in lines:
                record = json.loads(line)
                self._results[_canonical(record["key"])] = record["result"]
            if tail:
                self._path.write_text("".join(f"{line}\n" for line in lines))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"Cannot read results from {self._path}: {error}") from None

    def __contains__(self, key: dict) -> bool:
        return _canonical(key) in self._results

    def get(self, key: dict, compute: Callable[[], dict]) -> dict:
        """Return the result under a key, computed and written if it is not there yet.

        Raises
        ------
        InputError
            If the file cannot be written.
        """
        name = _canonical(key)
        if name not in self._results:
            result = compute()
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with open(self._path, "a") as stream:
                    stream.write(json.dumps({"key": key, "result": result}) + "\n")
            except OSError as error:
                raise InputError(f"Cannot write {self._path}: {error.strerror}") from None
            self._results[name] = result
        return self._results[name]


def _canonical(key: dict) -> str:
    return json.dumps(key, sort_keys=True)
