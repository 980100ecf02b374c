"""The exported Verilog of the core, driven from outside by cocotbext-axi in Verilator."""

from amaranth.lib.wiring import In

from hdl import export, formats
from hdl.core import AxiGemmCore, GemmCore
from sim.engines import verilator

from . import axi_bench


def wrapped(component: AxiGemmCore) -> str:
    """Return Verilog whose module ``top`` hands inputs to the core at the falling clock edge."""
    ports = dict(component.signature.members.items())
    clocks = ("aclk",)
    lines = ["module top(", ", ".join(["core_aclk", *ports]), ");", "input core_aclk;"]
    pins, moves = [], []
    for name, member in ports.items():
        width = f"[{member.shape - 1}:0]" if member.shape > 1 else ""
        lines.append(f"{'input' if member.flow is In else 'output'} {width} {name};")
        if name in clocks:
            pins.append(f".{name}(core_aclk)")
        elif member.flow is In:
            lines.append(f"reg {width} held_{name};")
            moves.append(f"held_{name} <= {name};")
            pins.append(f".{name}(held_{name})")
        else:
            pins.append(f".{name}({name})")
    lines += [f"core core({', '.join(pins)});", "always @(negedge core_aclk) begin", *moves]
    return export.verilog(component, "core") + "\n".join([*lines, "end", "endmodule", ""])


def test_core_between_sources_and_sinks():
    core = GemmCore(
        formats.get("m2xfp"),
        columns=axi_bench.COLUMNS,
        rows=axi_bench.ROWS,
        buffer_groups=axi_bench.BUFFER,
        accumulate=True,
    )
    passed = verilator.run_bench(wrapped(AxiGemmCore(core)), axi_bench.__name__)
    assert len(passed) == 7, passed
