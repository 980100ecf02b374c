"""Static timing and power of a mapped netlist by OpenSTA, without wire load."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .yosys import SynthesisError

__all__ = ["PathPoint", "Timing", "analyze"]

#: Cell that drives every input, and the load in pF on every output: about one flip-flop's pin.
DRIVER = "BUFX2"
LOAD_PF = 0.015


@dataclass(frozen=True)
class PathPoint:
    """One arrival on the critical path: a pin, its cell and the time in ns."""

    pin: str
    cell: str
    arrival_ns: float


@dataclass(frozen=True)
class Timing:
    """What OpenSTA reports of a netlist.

    Members
    -------
    period_ns
        Least clock period (for a block without clock: longest delay from input to output).
    path
        The critical path, startpoint first.
    power_mw
        Total power at ``period_ns`` and the stated activity.
    """

    period_ns: float
    path: tuple[PathPoint, ...]
    power_mw: float


def _script(library: str, netlist: str, top: str, clocked: bool, activity: float) -> str:
    # The first analysis uses an arbitrary period: what counts is the slack left in it.
    ports = "[get_ports clk]" if clocked else ""
    return f"""
read_liberty {library}
read_verilog {netlist}
link_design {top}
create_clock -name clk -period 10 {ports}
set inputs {{}}
foreach port [all_inputs] {{
  if {{[get_property $port full_name] != "clk"}} {{ lappend inputs $port }}
}}
if {{[llength $inputs]}} {{
  set_driving_cell -lib_cell {DRIVER} $inputs
  set_input_delay 0 -clock clk $inputs
}}
set_output_delay 0 -clock clk [all_outputs]
set_load {LOAD_PF} [all_outputs]
report_checks -digits 4
set slack [get_property [lindex [find_timing_paths] 0] slack]
set period [expr {{10 - $slack}}]
puts "period $period"
create_clock -name clk -period $period {ports}
set_power_activity -global -activity {activity} -duty 0.5
report_power -digits 6
"""


def analyze(
    library: Path, netlist: str, top: str, folder: Path, *, clocked: bool, activity: float
) -> Timing:
    """Find the least clock period and the power of a netlist.

    Every path counts: from an input (arriving with the clock edge, driven by one buffer), between
    flip-flops with their set-up time, and to an output (expected at the next edge).

    Parameters
    ----------
    netlist
        File in ``folder``, made of library cells only.
    clocked
        Whether the top module has a port ``clk``.
    activity
        Transitions of each net in a clock cycle.

    Raises
    ------
    SynthesisError
        If OpenSTA complains about anything.
    """
    script = folder / "sta.tcl"
    script.write_text(_script(str(library), netlist, top, clocked, activity))
    process = subprocess.run(
        ["sta", "-no_splash", "-exit", script.name],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    output = process.stdout + process.stderr
    (folder / "sta.log").write_text(output)
    complaint = re.search(r"^(Error|Warning).*$", output, re.MULTILINE)
    period = re.search(r"^period (\S+)$", output, re.MULTILINE)
    power = re.search(r"^Total\s+\S+\s+\S+\s+\S+\s+(\S+)", output, re.MULTILINE)
    if complaint or not period or not power:
        raise SynthesisError(f"OpenSTA failed: {complaint[0] if complaint else output[-200:]}")
    points = re.findall(r"^\s*\S+\s+(\S+) [v^] (\S+) \((\w+)\)$", output, re.MULTILINE)
    path = tuple(PathPoint(pin, cell, float(time)) for time, pin, cell in points)
    # The capturing clock edge follows the last data pin; it is no part of the path.
    end = next((i for i, p in enumerate(path) if i and p.pin.endswith("/CLK")), len(path))
    return Timing(float(period[1]), path[:end], float(power[1]) * 1e3)
