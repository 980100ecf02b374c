import os
import subprocess
import sys
from pathlib import Path

import pytest

from .catalogue import MUTANTS
from .plugin import VARIABLE, mutated

ROOT = Path(__file__).parents[2]


@pytest.mark.mutants
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_mutant_is_caught(mutant):
    mutated(mutant)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "", "-p", "tests.mutants.plugin"]
    process = subprocess.run(
        [*command, "-p", "no:cacheprovider", mutant.killer],
        cwd=ROOT,
        env=os.environ | {VARIABLE: mutant.name},
        capture_output=True,
        text=True,
        check=False,
    )
    # 1 is a test that ran and failed; anything else is a mutant that survived or did not run.
    assert process.returncode == 1, process.stdout
    assert "1 failed" in process.stdout


def test_names_are_unique():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
