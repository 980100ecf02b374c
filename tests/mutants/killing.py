"""Runs the test that must catch a seeded bug, with the bug in the sources."""

import os
import subprocess
import sys
from pathlib import Path

from .mutant import Mutant

ROOT = Path(__file__).parents[2]
#: Environment variable that names the bug to the plugin.
VARIABLE = "M2XFP_MUTANT"


def kill(mutant: Mutant) -> tuple[bool, str]:
    """Return whether the mutant's killer ran and failed, and what pytest printed."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-m", "", "-p", "tests.mutants.plugin"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", mutant.killer],
        cwd=ROOT,
        # Plugins that are installed take longer to load than many of the tests take.
        env=os.environ | {VARIABLE: mutant.name, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    # 1 is a test that ran and failed; anything else is a mutant that survived or did not run.
    return done.returncode == 1 and "1 failed" in done.stdout, done.stdout
