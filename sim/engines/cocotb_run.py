"""``python -m sim.engines.cocotb_run``: cocotb's runner on a folder that holds ``top.v``.

``build FOLDER [trace]`` makes the simulator; ``test FOLDER SCRATCH [VCD]`` runs a job in it, or
the bench that the environment variable ``M2XFP_BENCH`` names.
"""

import os
import sys

from cocotb_tools.runner import get_runner

# The runner makes everything visible; ports.vlt names what has to be.
_ARGUMENTS = ["--no-public-flat-rw", "-Wno-fatal", "-Wno-lint", "-Wno-style"]


def main(action: str, folder: str, *rest: str) -> None:
    """Build or test."""
    runner = get_runner("verilator")
    if action == "build":
        runner.build(
            sources=[f"{folder}/ports.vlt", f"{folder}/top.v"],
            hdl_toplevel="top",
            build_dir=folder,
            build_args=_ARGUMENTS,
            timescale=("1ns", "1ns"),
            waves=bool(rest),
        )
    else:
        scratch, *vcd = rest
        runner.test(
            test_module=os.environ.get("M2XFP_BENCH", "sim.engines.cocotb_bench"),
            hdl_toplevel="top",
            hdl_toplevel_lang="verilog",
            build_dir=folder,
            test_dir=scratch,
            results_xml=f"{scratch}/results.xml",
            waves=bool(vcd),
            test_args=["--trace-file", *vcd] if vcd else [],
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
