"""A core as others take it in: Verilog, FuseSoC file, waivers, testbench, template, tables."""

import numpy as np
from amaranth.lib.wiring import In

import golden

from .. import export
from .axi import AxiGemmCore
from .describe import ports, tables
from .layouts import Command, Status

__all__ = ["NAME", "files", "template"]

#: Name of the module, and of the files.
NAME = "m2xfp_core"

#: Verilator's warnings under -Wall that a generated core does not pass -> why that is no harm.
WAIVERS = {
    "UNUSEDSIGNAL": "views of whole payloads, and bits of a payload that a block does not look at",
    "PROCASSINIT": "registers have initial values, for FPGAs",
    "UNOPTFLAT": "speed of the simulator only: parts of a vector that feed other parts",
    "CASEOVERLAP": "one-hot selections, of which one holds at a time",
    "DECLFILENAME": "submodules are in the file of the top module",
}

#: Tag of the testbench's command.
_TAG = 0xA5


def files(component: AxiGemmCore, header: str, version: str) -> dict[str, str]:
    """Return the text of every file of the package by its name.

    Parameters
    ----------
    component : AxiGemmCore
    header : str
        What it is and its parameters, a line each.
    version : str
        Version for FuseSoC, three numbers.
    """
    comments = "".join(f"// {line}\n" for line in header.splitlines())
    return {
        f"{NAME}.v": export.verilog_for_icarus(component, NAME, header=header),
        f"{NAME}.core": _fusesoc(header, version),
        f"{NAME}.vlt": _waivers(),
        f"{NAME}_tb.v": comments + _testbench(component),
        f"{NAME}_template.v": comments + template(component),
        f"{NAME}.md": _page(component, header),
    }


def template(component: AxiGemmCore) -> str:
    """Return an instance of the core to copy: every port with its direction and width."""
    rows = [
        (f"    .{name}({name})", f"// {direction} {width}")
        for name, direction, width, _ in ports(component)
    ]
    lines = [
        f"{pin}{',' if index < len(rows) - 1 else ' '} {note}"
        for index, (pin, note) in enumerate(rows)
    ]
    return "\n".join([f"{NAME} u_{NAME} (", *lines, ");", ""])


def _page(component: AxiGemmCore, header: str) -> str:
    parts = [f"# {NAME}\n", header.replace("\n", "  \n") + "\n"]
    for name, table in tables(component).items():
        parts.append(f"## {name.capitalize()}\n\n{table}")
    return "\n".join(parts)


def _waivers() -> str:
    lines = ["`verilator_config"]
    for rule, reason in WAIVERS.items():
        lines += [f"// {reason}", f'lint_off -rule {rule} -file "*{NAME}.v"']
    return "\n".join([*lines, ""])


def _fusesoc(header: str, version: str) -> str:
    first, *parameters = header.splitlines()
    return f"""\
CAPI=2:
# {first}
name: ::{NAME}:{version}
description: "GEMM core of M2XFP groups; {", ".join(parameters)}"

filesets:
  waivers:
    files: [{NAME}.vlt: {{file_type: vlt}}]
  rtl:
    files: [{NAME}.v: {{file_type: verilogSource}}]
  testbench:
    files: [{NAME}_tb.v: {{file_type: verilogSource}}]

parameters:
  tag:
    datatype: int
    paramtype: vlogparam
    default: {_TAG}
    description: Tag of the testbench's command

targets:
  default: &default
    filesets: [rtl]
    toplevel: {NAME}
  lint:
    <<: *default
    filesets: [waivers, rtl]
    default_tool: verilator
    tools:
      verilator:
        mode: lint-only
        verilator_options: [-Wall]
  sim:
    filesets: [rtl, testbench]
    toplevel: {NAME}_tb
    parameters: [tag]
    default_tool: icarus
    tools:
      icarus:
        iverilog_options: [-g2012]
  synth:
    <<: *default
    default_tool: yosys
    tools:
      yosys:
        arch: ecp5
"""


def _testbench(component: AxiGemmCore) -> str:
    """Return a bench that runs one group by one group, with the sum that golden makes of it."""
    format = component.core.format
    values = np.linspace(-3, 5, format.lanes, dtype=np.float32)[None]
    a = golden.quantize(values, "activations", format=format.name)
    w = golden.quantize(values[:, ::-1].copy(), "weights", format=format.name)
    words = [golden.group_words(each).tobytes() for each in (a, w)]
    group = [int.from_bytes(each[: format.group.size // 8], "little") for each in words]
    command = Command.const({"rows": 1, "groups": 1, "channels": 1}).as_bits()
    frames = {"s_axis_cmd": f"{{8'd0, tag[7:0], 48'h{command:012x}}}"}
    for name, word in zip(("s_axis_act", "s_axis_wgt"), group, strict=True):
        frames[name] = f"{format.group.size}'h{word:x}"
    expected = golden.accumulate(a, w).view(np.uint32)[0, 0]

    lines, pins = [], []
    for name, member in component.signature.members.items():
        kind = "reg" if member.flow is In else "wire"
        start = " = 0" if member.flow is In else ""
        lines.append(f"  {kind} [{member.shape - 1}:0] {name}{start};")
        pins.append(f".{name}({name})")
    sends, starts = [], ["    m_axis_res_tready <= 1; m_axis_status_tready <= 1;"]
    for prefix, frame in frames.items():
        starts += [
            f"    {prefix}_tdata <= {frame};",
            f"    {prefix}_tlast <= 1; {prefix}_tvalid <= 1;",
        ]
        sends.append(f"    if ({prefix}_tvalid && {prefix}_tready) {prefix}_tvalid <= 0;")
    count = Status.as_shape().size // 32
    body = "\n".join
    return f"""\
`timescale 1ns / 1ps
module {NAME}_tb #(parameter [31:0] tag = {_TAG});
{body(lines)}
  integer cycle = 0, word = 0, results = 0;

  {NAME} dut ({", ".join(pins)});
  always #5 aclk = ~aclk;

  always @(posedge aclk) begin
    cycle <= cycle + 1;
    aresetn <= cycle > 3;
{body(sends)}
    if (cycle == 6) begin
{body(starts)}
    end
    if (m_axis_res_tvalid && m_axis_res_tready) begin
      results <= results + 1;
      if (m_axis_res_tdata[31:0] !== 32'h{expected:08x}) $fatal(1, "FAIL: sum");
      if (m_axis_res_tkeep !== 15 || m_axis_res_tlast !== 1) $fatal(1, "FAIL: TKEEP, TLAST");
    end
    if (m_axis_status_tvalid && m_axis_status_tready) begin
      word <= word + 1;
      if (word == 0 && m_axis_status_tdata !== tag) $fatal(1, "FAIL: tag, refusal, flags");
      if (m_axis_status_tlast !== (word == {count - 1})) $fatal(1, "FAIL: length of the status");
      if (m_axis_status_tlast) begin
        if (results != 1) $fatal(1, "FAIL: number of results");
        $display("PASS");
        $finish;
      end
    end
    if (cycle == 2000) $fatal(1, "FAIL: no status");
  end
endmodule
"""
