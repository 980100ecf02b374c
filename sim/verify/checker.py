"""Proof obligations put to a solver, and what came of them."""

import time
from dataclasses import dataclass

import bitwuzla
import z3

__all__ = ["Checker", "ProofError", "Refuted", "Undecided", "Vacuous"]


class ProofError(Exception):
    """A proof that was not found."""


class Refuted(ProofError):  # noqa: N818
    """A counterexample to an obligation."""


class Vacuous(ProofError):  # noqa: N818
    """Assumptions under which what must be possible is not."""


class Undecided(ProofError):  # noqa: N818
    """A solver that gave up."""


@dataclass
class Checker:
    """Collects the obligations of one proof; each raises unless it holds.

    Formulas are built with z3, which also turns floating point into bit vectors; Bitwuzla decides
    them, many times as fast.

    Attributes
    ----------
    proved, covered : int
        Obligations proved, and situations shown to be reachable.
    seconds : float
        Time in the solver.
    """

    proved: int = 0
    covered: int = 0
    seconds: float = 0.0

    def prove(self, what: str, goal: z3.BoolRef, *assumptions: z3.BoolRef) -> None:
        """Raise `Refuted` unless ``goal`` follows from the assumptions."""
        found = self._solve(what, [z3.Not(goal), *assumptions])
        if found is not None:
            raise Refuted(f"{what}, where {found}")
        self.proved += 1

    def cover(self, what: str, *conditions: z3.BoolRef) -> None:
        """Raise `Vacuous` unless the conditions can hold together."""
        self.reached(what, self._solve(what, list(conditions)) is not None)

    def reached(self, what: str, truth: bool) -> None:
        """Raise `Vacuous` unless what was decided by other means can be."""
        if not truth:
            raise Vacuous(f"{what} cannot be reached")
        self.covered += 1

    def holds(self, what: str, truth: bool, found: object = "") -> None:
        """Raise `Refuted` unless what was decided by other means is true."""
        if not truth:
            raise Refuted(f"{what}, where {found}")
        self.proved += 1

    def _solve(self, what: str, formulas: list[z3.BoolRef]) -> str | None:
        """Return values that fulfil the formulas, or None if there are none."""
        start = time.monotonic()
        goal = z3.Goal()
        goal.add(*formulas)
        (bits,) = z3.Then("simplify", "fpa2bv", "simplify")(goal)
        solver = z3.Solver()
        solver.add(*bits)
        manager, options = bitwuzla.TermManager(), bitwuzla.Options()
        options.set(bitwuzla.Option.PRODUCE_MODELS, True)
        parser = bitwuzla.Parser(manager, options)
        text = "(set-logic QF_BV)\n" + solver.to_smt2().replace("(check-sat)", "")
        parser.parse(text, True, False)
        decider = parser.bitwuzla()
        answer = decider.check_sat()
        self.seconds += time.monotonic() - start
        if answer == bitwuzla.Result.UNKNOWN:
            raise Undecided(what)
        if answer == bitwuzla.Result.UNSAT:
            return None
        symbols = {s.symbol(): s for s in parser.get_declared_funs()}
        named = sorted(name for name in symbols if "@" not in name and "!" not in name)
        return ", ".join(f"{name} = {decider.get_value(symbols[name]).value(16)}" for name in named)
