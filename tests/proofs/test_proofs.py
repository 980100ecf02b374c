import pytest

from sim.verify.checker import Checker
from sim.verify.proofs.registry import PROOFS
from tests.mutants.catalogue import MUTANTS

#: The others run by `make verify-full`, and where they are named.
ALL = [
    pytest.param(name, marks=() if proof.quick else pytest.mark.slow)
    for name, proof in PROOFS.items()
]


@pytest.mark.parametrize("name", ALL)
def test_proof(name):
    """Raises where there is a counterexample, or nothing to prove."""
    check = Checker()
    PROOFS[name].run(check)
    assert check.proved
    assert check.covered


def test_every_proof_has_a_bug_to_refute():
    """The bugs are refuted by `make verify-full`, each in a process of its own."""
    names = {mutant.name for mutant in MUTANTS}
    assert all(proof.mutants for proof in PROOFS.values())
    assert {bug for proof in PROOFS.values() for bug in proof.mutants} <= names
