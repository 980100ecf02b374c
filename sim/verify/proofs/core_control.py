"""The check of any command."""

import z3

from hdl.core.control import Control

from ..checker import Checker
from ..model import Model
from ..terms import bit, field, wide
from .proof import BIT_VECTORS, Proof

#: Rows, depth of the buffer, whether built to accumulate and to quantize.
_SMALL = ((16, 64, False, False), (3, 7, True, False))
_LARGE = ((128, 1024, True, True),)
#: Codes of docs/core.md.
_NONE, _ZERO, _OVERSIZED, _UNSUPPORTED, _FRAMING = range(5)


class _Checked:
    """A control that has taken one beat of a command, whichever."""

    def __init__(self, check: Checker, rows: int, depth: int, accumulate: bool, quantize: bool):
        self.model = Model(
            Control(rows=rows, depth=depth, accumulate=accumulate, quantize=quantize)
        )
        self.steps = rows.bit_length()
        command = self.command = z3.BitVec("command", 64)
        self.tag = field(command, 48, 8)
        m, self.groups, n = (field(command, 16 * index, 16) for index in range(3))
        #: min(M, rows) * groups: what `product` shows the control's own size to be.
        self.needs = z3.BitVec("needs", 34)
        zero = z3.Or(m == 0, self.groups == 0, n == 0)
        unsupported = z3.Or(
            z3.And(bit(command, 62), not quantize), z3.And(bit(command, 63), not accumulate)
        )
        self.refusal = z3.BitVecVal(_NONE, 8)
        for code, refused in (
            (_OVERSIZED, z3.UGT(self.needs, depth)),
            (_UNSUPPORTED, unsupported),
            (_ZERO, zero),
        ):
            self.refusal = z3.If(refused, z3.BitVecVal(code, 8), self.refusal)
        self.state = self.model.fresh("0")
        idle = [self.flag("commands__ready"), z3.Not(self.flag("running"))]
        check.prove("idle", self.model.value(self.state, "fsm_state") == 0, *idle)
        # Words of a status are counted anew for each, as the proof of the streams shows.
        for name in ("fsm_state", "index"):
            self._set(name, 0)

    def _set(self, register: str, number: int) -> None:
        old = self.model.value(self.state, register)
        change = (old, z3.BitVecVal(number, old.size()))
        self.state = {leaf: z3.substitute(term, change) for leaf, term in self.state.items()}

    def flag(self, name: str) -> z3.BoolRef:
        """Return whether an output of one bit is set at present."""
        return self.model.value(self.state, name) == 1

    def offer(self, command: z3.BitVecRef, last: int) -> None:
        """Offer a beat in the present cycle."""
        payload = z3.Concat(z3.BitVecVal(last, 1), command)
        valid = z3.BitVecVal(1, 1)
        self.drive(commands__valid=valid, commands__payload=payload)

    def drive(self, **inputs: z3.BitVecRef) -> None:
        """Set inputs of the present cycle."""
        self.state = self.model.drive(self.state, **inputs)

    def step(self, tag: str) -> None:
        """Go on to the next cycle, whose inputs are free."""
        self.state = self.model.step(self.state, tag)

    def status(self, refusal: z3.BitVecRef) -> z3.BoolRef:
        """Return whether the status of the command begins, and says so."""
        word = self.model.value(self.state, "status__payload")
        return z3.And(
            self.flag("status__valid"),
            field(word, 0, 8) == self.tag,
            field(word, 8, 8) == refusal,
        )


def _product(check: Checker, control: _Checked, rows: int) -> z3.BoolRef:
    """Check the size for each number of rows in a block; return what it stands for."""
    size = wide(control.model.value(control.state, "size"), 34)
    m, groups = field(control.command, 0, 16), wide(control.groups, 34)
    for block in range(rows):
        short = z3.Concat(field(control.command, 16, 48), z3.BitVecVal(block, 16))
        found = z3.simplify(z3.substitute(size, (control.command, short)))
        check.prove(f"product by {block}", found == block * groups)
    check.prove("product of a full block", size == rows * groups, z3.UGE(m, rows))
    return control.needs == size


def _one_command(check: Checker, *parameters) -> None:
    control = _Checked(check, *parameters)
    control.offer(control.command, 1)
    for cycle in range(1, control.steps + 2):
        control.step(f"{cycle}")
        quiet = z3.Not(z3.Or(control.flag("start"), control.flag("status__valid")))
        check.prove("neither start nor status while checking", quiet)
    control.step("check")
    product = _product(check, control, parameters[0])
    legal = control.refusal == _NONE
    check.prove("start", control.flag("start") == legal, product)
    command = control.model.value(control.state, "command")
    check.prove("command", command == control.command)
    for code in (_NONE, _ZERO, _OVERSIZED, _UNSUPPORTED):
        if code != _UNSUPPORTED or not all(parameters[2:]):
            check.cover(f"refusal {code}", control.refusal == code, product)
    control.step("decided")
    refused = control.status(control.refusal)
    check.prove("status of a refusal", refused, product, z3.Not(legal))
    running = z3.And(control.flag("running"), z3.Not(control.flag("status__valid")))
    check.prove("no status yet", running, product, legal)
    control.drive(done=z3.BitVecVal(1, 1))
    control.step("done")
    control.drive(busy=z3.BitVecVal(0, 1))
    control.step("over")
    check.prove("status of a command", control.status(control.refusal), product, legal)


def _framing(check: Checker, *parameters) -> None:
    control = _Checked(check, *parameters)
    control.offer(control.command, 0)
    control.step("1")
    control.offer(z3.BitVec("surplus", 64), 1)
    check.prove("no start", z3.Not(control.flag("start")))
    control.step("2")
    refusal = z3.BitVecVal(_FRAMING, 8)
    check.prove("status of a long frame", control.status(refusal))
    check.cover("a long frame", control.status(refusal))


def _commands(check: Checker, controls: tuple) -> None:
    for parameters in controls:
        _one_command(check, *parameters)
        _framing(check, *parameters)


def commands(check: Checker) -> None:
    """Check all 2^64 commands of small controls."""
    _commands(check, _SMALL)


def commands_of_real_size(check: Checker) -> None:
    """Check all 2^64 commands of a control of a real size."""
    _commands(check, _LARGE)


_CHECKED = (
    "For all 2^64 commands, whatever the last one left behind: min(M, rows) * groups is exact; the "
    "command starts, as it was sent, if it is legal; else its status says why, with its tag: "
    "framing, else zero, else unsupported, else oversized."
)
_UNROLLED = BIT_VECTORS + "; unrolled from idle"
_FROM_ZERO = "words of a status are counted from 0, as the proof of the streams shows"

PROOFS = [
    Proof(
        "check of a command",
        "Control",
        _CHECKED,
        _UNROLLED,
        f"rows and depth 16 and 64, with nothing built; 3 and 7, with accumulate; {_FROM_ZERO}",
        commands,
        (
            "core: one row forgotten in the size",
            "core: tag of the command before",
            "control: the size wraps",
            "control: rows beyond a block are counted",
            "control: a full buffer is refused",
        ),
    ),
    Proof(
        "check of a command, 128 rows",
        "Control",
        _CHECKED,
        _UNROLLED,
        f"rows and depth 128 and 1024, with everything built; {_FROM_ZERO}",
        commands_of_real_size,
        ("control: the size wraps", "control: a full buffer is refused"),
        quick=False,
    ),
]
