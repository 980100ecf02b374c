"""All reachable states of a small component, and what must never and must sometimes be so.

The set of reachable states is the strongest inductive invariant there is: it holds at power-on,
every clock edge keeps it, and whatever holds in all of it holds for ever.
"""

import tempfile
from pathlib import Path

from amaranth.lib import wiring
from dd import cudd

from hdl import export
from synth import yosys

from .checker import Checker

__all__ = ["prove_invariants"]

_SCRIPT = [
    "read_rtlil top.il",
    "hierarchy -check -top top",
    "proc",
    "flatten",
    "opt -full",
    "memory_map",
    "dffunmap",
    "opt -full",
    "techmap",
    "opt -full",
    "dffunmap",
    "clean -purge",
    "aigmap",
    "opt_clean -purge",
    "write_aiger -ascii -zinit -symbols top.aag",
]


class _Circuit:
    """An and-inverter graph as BDDs over inputs and registers."""

    def __init__(self, component: wiring.Component):
        with tempfile.TemporaryDirectory(prefix="m2xfp-") as folder:
            place = Path(folder)
            (place / "top.il").write_text(export.rtlil(component, "top"))
            yosys.run(_SCRIPT, place)
            lines = (place / "top.aag").read_text().splitlines()
        _, _, inputs, latches, outputs, ands = lines[0].split()[:6]
        rows = [
            [int(n) for n in line.split()]
            for line in lines[1 : 1 + sum(map(int, (inputs, latches, outputs, ands)))]
        ]
        inputs, latches, outputs = int(inputs), int(latches), int(outputs)
        self.diagrams = diagrams = cudd.BDD()
        diagrams.configure(reordering=True)
        self.inputs = [f"i{n}" for n in range(inputs)]
        self.now = [f"s{n}" for n in range(latches)]
        self.later = [f"t{n}" for n in range(latches)]
        for now, later in zip(self.now, self.later, strict=True):
            diagrams.declare(now, later)
        diagrams.declare(*self.inputs)
        values = {0: diagrams.false}
        for row, name in zip(rows[:inputs], self.inputs, strict=True):
            values[row[0] >> 1] = diagrams.var(name)
        registers = rows[inputs : inputs + latches]
        for row, name in zip(registers, self.now, strict=True):
            values[row[0] >> 1] = diagrams.var(name)
        gates = {row[0] >> 1: row[1:] for row in rows[inputs + latches + outputs :]}

        def value(literal):
            return ~values[literal >> 1] if literal & 1 else values[literal >> 1]

        for gate, (left, right) in sorted(gates.items()):
            values[gate] = value(left) & value(right)
        self.next = [value(row[1]) for row in registers]
        symbols = {}
        for line in lines[1 + len(rows) :]:
            if line.startswith("o"):
                number, name = line[1:].split(maxsplit=1)
                symbols[name.removeprefix("\\")] = rows[inputs + latches + int(number)][0]
            elif line.startswith("c"):
                break
        self.outputs = {name: value(literal) for name, literal in symbols.items()}
        self.assumed = self.outputs.get("assume", diagrams.true)

    def reachable(self):
        """Return the set of reachable states and the steps it takes to reach them all.

        A state in which something bad can happen is the end: what is reachable from there tells
        nothing, and can be far more than what is reachable without the bug.
        """
        diagrams = self.diagrams
        relation = [
            (~diagrams.apply("xor", diagrams.var(name), function))
            for name, function in zip(self.later, self.next, strict=True)
        ]
        assumed = self.assumed
        bad = diagrams.false
        for name, output in self.outputs.items():
            if name.startswith("bad"):
                bad |= output & assumed
        old = {*self.now, *self.inputs}
        # Each variable goes with the last conjunct that mentions it.
        remaining = [old & set(part.support) for part in relation]
        last = {name: index for index, names in enumerate(remaining) for name in names}
        renaming = dict(zip(self.later, self.now, strict=True))
        state = diagrams.cube(dict.fromkeys(self.now, False))
        frontier, steps = state, 0
        while frontier != diagrams.false and frontier & bad == diagrams.false:
            image = frontier & assumed
            early = (old & set(image.support)) - set(last)
            image = diagrams.exist(early, image)
            for index, part in enumerate(relation):
                done = {name for name, at in last.items() if at == index}
                image = cudd.and_exists(image, part, done)
            image = diagrams.let(renaming, image)
            frontier = image & ~state
            state |= frontier
            steps += 1
        return state, steps


def prove_invariants(check: Checker, component: wiring.Component) -> None:
    """Compute all reachable states; no ``bad`` output may rise in them, every ``cover`` must.

    Parameters
    ----------
    component
        A harness: free inputs; outputs of one bit whose names begin with ``bad`` or ``cover``,
        and ``assume``, which the inputs obey.
    """
    circuit = _Circuit(component)
    state, steps = circuit.reachable()
    allowed = state & circuit.assumed
    possible = {
        name: allowed & output != circuit.diagrams.false for name, output in circuit.outputs.items()
    }
    # What is bad first: if anything is, not all states were looked for.
    for name in possible:
        if name.startswith("bad"):
            check.holds(name, not possible[name], f"it rises within {steps} cycles")
    for name in possible:
        if name.startswith("cover"):
            check.reached(name, possible[name])
