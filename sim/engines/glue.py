"""Generates the C++ that connects the ports of one Verilated component to ``shim.cc``."""

import re
from collections.abc import Iterable

from .ports import Ports

_HEAD = """\
#include <algorithm>
#include <cstdint>
#include "Vtop.h"
#include "verilated.h"
#if VM_TRACE
#include "verilated_vcd_c.h"
#endif

template <std::size_t N> static inline void put(VlWide<N> &port, const uint32_t *words) {
    std::copy(words, words + N, &port[0]);
}
template <std::size_t N> static inline void get(const VlWide<N> &port, uint32_t *words) {
    std::copy(&port[0], &port[0] + N, words);
}
static inline void put(QData &port, const uint32_t *words) {
    port = words[0] | QData(words[1]) << 32;
}
static inline void get(const QData &port, uint32_t *words) {
    words[0] = uint32_t(port);
    words[1] = uint32_t(port >> 32);
}
template <class T> static inline void put(T &port, const uint32_t *words) { port = T(words[0]); }
template <class T> static inline void get(const T &port, uint32_t *words) { words[0] = port; }
"""


def generate(ports: Ports, verilog: str, name: str, *, reset_cycles: int = 0) -> str:
    """Return the C++ source, up to and including ``shim.cc``.

    Parameters
    ----------
    ports : Ports
        Ports of the component.
    verilog : str
        Its Verilog, which tells whether there is a clock.
    name : str
        Its top module there.
    reset_cycles : int
        Cycles of reset before all others, for registers without a state at power-on; theirs is
        random.
    """
    sources = [port for port in ports.streams.values() if port.is_input]
    sinks = [port for port in ports.streams.values() if not port.is_input]
    most = max((port.words for port in sinks), default=1)
    clock = "top.clk = clock;" if has_clock(verilog, name) else ""
    level = "top.rst = level;" if reset_cycles else ""
    parts = [
        _HEAD,
        f"enum {{ SOURCES = {len(sources)}, SINKS = {len(sinks)}, MAX_WORDS = {most} }};",
        f"enum {{ RESET = {reset_cycles} }};",
        _function("void set_clock(Vtop &top, bool clock)", clock),
        _function("void set_reset(Vtop &top, bool level)", level),
        _switch(
            "void drive_source(Vtop &top, int port, bool valid, const uint32_t *payload)",
            (
                f"top.{_c(p.name)}___05Fvalid = valid; put(top.{_c(p.name)}___05Fpayload, payload);"
                for p in sources
            ),
        ),
        _switch(
            "bool source_ready(Vtop &top, int port)",
            (f"return top.{_c(p.name)}___05Fready;" for p in sources),
            "return false;",
        ),
        _switch(
            "void drive_sink(Vtop &top, int port, bool ready)",
            (f"top.{_c(p.name)}___05Fready = ready;" for p in sinks),
        ),
        _switch(
            "bool sink_valid(Vtop &top, int port)",
            (f"return top.{_c(p.name)}___05Fvalid;" for p in sinks),
            "return false;",
        ),
        _switch(
            "void sink_payload(Vtop &top, int port, uint32_t *payload)",
            (f"get(top.{_c(p.name)}___05Fpayload, payload);" for p in sinks),
        ),
        _switch(
            "void drive_plain(Vtop &top, int port, const uint32_t *value)",
            (f"put(top.{_c(p.name)}, value);" if p.is_input else "" for p in ports.plain.values()),
        ),
        _switch(
            "void sample_plain(Vtop &top, int port, uint32_t *value)",
            ("" if p.is_input else f"get(top.{_c(p.name)}, value);" for p in ports.plain.values()),
        ),
        '#include "shim.cc"\n',
    ]
    return "\n".join(parts)


def has_clock(verilog: str, name: str) -> bool:
    """Whether module ``name`` has a clock input."""
    module = verilog[verilog.index(f"module {name}(") :]
    clock = re.search(r"^  input clk;", module[: module.index("endmodule")], re.MULTILINE)
    return clock is not None


def _c(name: str) -> str:
    """Spell a port as Verilator does, which escapes the second of two underscores."""
    return name.replace("__", "___05F")


def _function(prototype: str, body: str) -> str:
    return f"static inline {prototype} {{ {body} }}"


def _switch(prototype: str, cases: Iterable[str], otherwise: str = "") -> str:
    lines = "".join(f"    case {i}: {case} break;\n" for i, case in enumerate(cases))
    return _function(prototype, f"\n    switch (port) {{\n{lines}    }}\n    {otherwise}\n")
