"""Pytest plugin that seeds one bug, named by the environment, into the sources as they load."""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys

from .catalogue import MUTANTS, Mutant
from .killing import ROOT, VARIABLE


def mutated(mutant: Mutant) -> str:
    """Return the source of the mutant's file with its bug in it."""
    text = (ROOT / mutant.file).read_text()
    count = text.count(mutant.old)
    if count != 1:
        raise LookupError(f"Mutant {mutant.name!r} matches {mutant.file} {count} times, not once")
    return text.replace(mutant.old, mutant.new)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, fullname, path, text):
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, fullname):
        return compile(self._text, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant):
        self._file = ROOT / mutant.file
        self._name = mutant.file.removesuffix(".py").replace("/", ".")
        self._text = mutated(mutant)

    def find_spec(self, fullname, path, target=None):
        if fullname != self._name:
            return None
        loader = _Loader(fullname, str(self._file), self._text)
        return importlib.util.spec_from_file_location(fullname, self._file, loader=loader)


if VARIABLE in os.environ:
    chosen = {mutant.name: mutant for mutant in MUTANTS}[os.environ[VARIABLE]]
    sys.meta_path.insert(0, _Finder(chosen))
