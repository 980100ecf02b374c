import pytest

from .catalogue import MUTANTS
from .killing import kill
from .plugin import mutated


@pytest.mark.mutants
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_caught(mutant):
    mutated(mutant)
    caught, output = kill(mutant)
    assert caught, output


def test_names_are_unique():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
