"""A component as formulas: its ports and its next state as z3 terms, by way of Yosys."""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

import z3
from amaranth.lib import wiring

from hdl import export
from synth import yosys

__all__ = ["Model", "State"]

_SCRIPT = [
    "read_rtlil top.il",
    "hierarchy -check -top top",
    "proc",
    "flatten",
    "memory_map",
    "dffunmap",
    "opt_clean -purge",
    "write_smt2 -bv -wires top.smt2",
]

#: Leaf of the formulas, an input or a register -> its value in one cycle.
State = dict[z3.ExprRef, z3.ExprRef]


class Model:
    """The transition system of a component, from the RTLIL that every flow starts from.

    Signals of one bit are bit vectors of width 1. Reset is held low.

    Parameters
    ----------
    component
        A component that was not elaborated before.

    Attributes
    ----------
    inputs, outputs : dict
        Port -> width in bits.
    """

    def __init__(self, component: wiring.Component):
        text = _smt2(component)
        self.inputs = _names(text, "input")
        self.outputs = _names(text, "output")
        names = list(_names(text, "wire"))
        query = ["(declare-fun s () |top_s|)", "(declare-fun t () |top_s|)"]
        query += [f"(assert (= (|top_n {name}| s) (|top_n {name}| s)))" for name in names]
        query += ["(assert (|top_t| s t))", "(assert (|top_i| s))"]
        formulas = list(z3.parse_smt2_string(text + "\n".join(query)))
        leaves = _Leaves(formulas)
        *wires, transition, initial = leaves.rename(z3.And(formulas)).children()
        self._wires = {
            name: _vector(formula.arg(0)) for name, formula in zip(names, wires, strict=True)
        }
        self._leaves = leaves.terms
        bits: dict[z3.ExprRef, dict[int, z3.BitVecRef]] = {}
        for equation in _conjuncts(transition):
            now, later = (_vector(side) for side in equation.children())
            _assign(bits, later, now)
        self._next = {leaf: _joined(leaf, leaf, parts) for leaf, parts in bits.items()}
        self._initial = _conjuncts(initial)

    def fresh(self, tag: str) -> State:
        """Return a state in which every input and register is free."""
        state = {leaf: z3.Const(f"{leaf}@{tag}", leaf.sort()) for leaf in self._leaves}
        return self.drive(state, rst=z3.BitVecVal(0, 1)) if "rst" in self._wires else state

    def drive(self, state: State, **inputs: z3.BitVecRef) -> State:
        """Return ``state`` with some inputs replaced."""
        bits: dict[z3.ExprRef, dict[int, z3.BitVecRef]] = {}
        for name, value in inputs.items():
            if value.size() != self.inputs[name]:
                raise ValueError(f"Port {name} has {self.inputs[name]} bits, not {value.size()}")
            _assign(bits, self._wires[name], value)
        return state | {leaf: _joined(leaf, state[leaf], parts) for leaf, parts in bits.items()}

    def value(self, state: State, name: str) -> z3.BitVecRef:
        """Return a port or named signal, hierarchical with dots, in a state."""
        return self._at(state, self._wires[name])

    def initial(self, state: State) -> list[z3.BoolRef]:
        """Return what holds of the registers at power-on."""
        return [self._at(state, formula) for formula in self._initial]

    def step(self, state: State, tag: str) -> State:
        """Return the state one clock edge later, with fresh inputs."""
        later = self.fresh(tag)
        later.update((leaf, self._at(state, term)) for leaf, term in self._next.items())
        return later

    def pipeline(self, inputs: Mapping[str, Mapping[int, z3.BitVecRef]], latency: int) -> State:
        """Run ``latency`` cycles from free registers and inputs; return the last state."""
        return self.run(inputs, latency)[-1]

    def run(self, inputs: Mapping[str, Mapping[int, z3.BitVecRef]], latency: int) -> list[State]:
        """Return the states of ``latency`` cycles from free registers and inputs, and the last.

        Parameters
        ----------
        inputs
            Port -> cycle -> value; free in other cycles.
        """
        state, states = self.fresh("0"), []
        for cycle in range(latency + 1):
            now = {name: given[cycle] for name, given in inputs.items() if cycle in given}
            states.append(self.drive(state, **now))
            if cycle < latency:
                state = self.step(states[-1], f"{cycle + 1}")
        return states

    def _at(self, state: State, term: z3.ExprRef) -> z3.ExprRef:
        return z3.substitute(term, *state.items())


class _Leaves:
    """The functions of the state that formulas are made of, renamed to constants."""

    def __init__(self, formulas: list[z3.ExprRef]):
        self._pairs: dict[int, tuple[z3.ExprRef, z3.ExprRef]] = {}
        self._constants: dict[str, z3.ExprRef] = {}
        seen: set[int] = set()
        stack = list(formulas)
        while stack:
            term = stack.pop()
            if term.get_id() in seen:
                continue
            seen.add(term.get_id())
            if z3.is_app(term) and term.num_args() == 1 and _is_state(term.arg(0)):
                name = term.decl().name()
                constant = self._constants.setdefault(name, z3.Const(name, term.sort()))
                self._pairs[term.get_id()] = (term, constant)
            else:
                stack.extend(term.children())

    @property
    def terms(self) -> list[z3.ExprRef]:
        return list(self._constants.values())

    def rename(self, formula: z3.ExprRef) -> z3.ExprRef:
        return z3.substitute(formula, *self._pairs.values())


def _is_state(term: z3.ExprRef) -> bool:
    return term.sort().name() == "top_s"


def _vector(term: z3.ExprRef) -> z3.BitVecRef:
    return z3.If(term, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1)) if z3.is_bool(term) else term


def _assign(
    bits: dict[z3.ExprRef, dict[int, z3.BitVecRef]], target: z3.BitVecRef, value: z3.BitVecRef
) -> None:
    """Note for every leaf bit of ``target``, which is made of leaves, its bit of ``value``."""
    for position, (leaf, index) in enumerate(_locations(target)):
        bits.setdefault(leaf, {})[index] = z3.Extract(position, position, value)


def _locations(term: z3.ExprRef) -> list[tuple[z3.ExprRef, int]]:
    """Return the leaf and bit number of every bit of a term, lowest first."""
    kind = term.decl().kind()
    if kind == z3.Z3_OP_CONCAT:
        return [bit for part in reversed(term.children()) for bit in _locations(part)]
    if kind == z3.Z3_OP_EXTRACT:
        high, low = term.params()
        return _locations(term.arg(0))[low : high + 1]
    if kind in (z3.Z3_OP_ITE, z3.Z3_OP_EQ):  # a Boolean as a vector, or the reverse
        return _locations(term.arg(0))
    return [(term, index) for index in range(1 if z3.is_bool(term) else term.size())]


def _joined(leaf: z3.ExprRef, old: z3.ExprRef, parts: dict[int, z3.BitVecRef]) -> z3.ExprRef:
    """Return the value of a leaf: ``old`` with some bits replaced."""
    if z3.is_bool(leaf):
        return z3.simplify(parts[0] == 1)
    bits = [parts.get(i, z3.Extract(i, i, old)) for i in reversed(range(leaf.size()))]
    return z3.simplify(z3.Concat(*bits) if len(bits) > 1 else bits[0])


def _conjuncts(formula: z3.BoolRef) -> list[z3.BoolRef]:
    if z3.is_and(formula):
        return formula.children()
    return [] if z3.is_true(formula) else [formula]


def _smt2(component: wiring.Component) -> str:
    with tempfile.TemporaryDirectory(prefix="m2xfp-") as folder:
        place = Path(folder)
        (place / "top.il").write_text(export.rtlil(component, "top"))
        yosys.run(_SCRIPT, place)
        return (place / "top.smt2").read_text()


def _names(text: str, kind: str) -> dict[str, int]:
    found = re.findall(rf"^; yosys-smt2-{kind} (\S+) (\d+)", text, re.MULTILINE)
    return {name: int(width) for name, width in found}
