"""The host's own code against the board in Verilator, UART pins in and out."""

import re

import numpy as np
import pytest

import golden
from hdl import formats
from hdl.board import BoardTop
from hdl.core import GemmCore
from hdl.fabric import Fabric
from sim.host import HostError, Session, SimulatedBoard, wire
from tests.golden.commands import assert_refused, m2xfp

DIVISOR = 4


def core(columns=2, **options):
    sizes = {"rows": 4, "buffer_groups": 8} | options
    return GemmCore(formats.get("m2xfp", Fabric.LUTS), columns=columns, **sizes)


@pytest.fixture(scope="module")
def top():
    return BoardTop(core(), frequency=DIVISOR * 100_000, baud=100_000)


@pytest.fixture
def board(top):
    with SimulatedBoard(top) as opened:
        yield opened


def operands(rng, m, groups, n):
    x, y = (rng.standard_t(3, (rows, 32 * groups)).astype(np.float32) for rows in (m, n))
    return golden.quantize(x, "activations"), golden.quantize(y, "weights")


def check(session, rng, m, groups, n):
    a, w = operands(rng, m, groups, n)
    result, status = session.gemm(a, w)
    expected = golden.accumulate(a, w, None)
    np.testing.assert_array_equal(result.view(np.uint32), expected.view(np.uint32))
    assert status.macs == m * n * 32 * groups


def test_products_one_after_the_other(board):
    """Narrow tiles, several blocks of rows, more groups than go in a frame."""
    rng, session = np.random.default_rng(1), Session(board, core())
    for shape in ((1, 1, 1), (6, 2, 3), (4, 2, 5), (9, 1, 16), (1, 8, 2)):
        check(session, rng, *shape)


class Noisy:
    """A transport that changes what is sent, by a function of the number of the write."""

    def __init__(self, board, change):
        self._board, self._change = board, change
        self.writes = 0
        self.read, self.send_break = board.read, board.send_break

    def write(self, data):
        self._board.write(self._change(self.writes, data))
        self.writes += 1


def flipped(data, at):
    at %= len(data)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (lambda n, data: bytes(range(256)) + bytes(260) + data, 0),
        (lambda n, data: wire.Frame(3, b"no such stream").encode() + data, 0),
        (lambda n, data: bytes([wire.SYNC, 1, 0]) + data, 0),
        (lambda n, data: flipped(data, -1) if n == 0 else data, 1),
        (lambda n, data: flipped(data, 5) if n == 2 else data, 1),
        (lambda n, data: flipped(data, 1) if n == 1 else data, 1),
        (lambda n, data: data[:-3] if n == 2 else data, 1),
        (lambda n, data: b"" if n == 1 else data, 1),
        (lambda n, data: bytes([wire.SYNC, 1, 255]) + data if n == 1 else data, 1),
        (lambda n, data: data + data, 0),
    ],
    ids=[
        "garbage",
        "no-such-stream",
        "empty",
        "checksum",
        "payload",
        "kind",
        "short",
        "lost",
        "false-start",
        "twice",
    ],
)
def test_noise_is_survived(board, change, more):
    rng, noisy = np.random.default_rng(2), Noisy(board, change)
    session = Session(noisy, core())
    check(session, rng, 3, 2, 2)
    assert noisy.writes == 3 + more
    check(session, rng, 2, 1, 2)


def test_a_lost_acknowledgement_delivers_nothing_twice(board):
    class Deaf(Noisy):
        def read_once_deaf(self):
            found = board.read()
            if self.writes == 2 and not self.dropped:
                self.dropped = bool(found)
                return board.read() if not found else b"\x00"
            return found

    noisy = Deaf(board, lambda n, data: data)
    noisy.dropped, noisy.read = False, noisy.read_once_deaf
    check(Session(noisy, core()), np.random.default_rng(3), 2, 2, 2)
    assert noisy.dropped
    assert noisy.writes == 4


def test_a_break_forgets_a_session_that_ended_half_way(board):
    rng = np.random.default_rng(4)
    Session(board, core())
    word = (3 | 2 << 16 | 2 << 32).to_bytes(8, "little")
    board.write(wire.Frame(wire.COMMANDS, word, last=True).encode())
    board.write(bytes([wire.SYNC, 1, 200, 1, 2, 3]))
    while board.read():
        pass
    check(Session(board, core()), rng, 3, 2, 2)


def test_refused_by_the_core(board):
    """The host believes in a larger buffer than the board has."""
    a, w = operands(np.random.default_rng(5), 4, 3, 1)
    with pytest.raises(HostError, match=r"^The board refused the command: oversized$"):
        Session(board, core(buffer_groups=16)).gemm(a, w)


def test_other_columns(board):
    a, w = operands(np.random.default_rng(6), 1, 1, 1)
    with pytest.raises(HostError, match=r"^The board has 2 columns, not 1$"):
        Session(board, core(columns=1)).gemm(a, w)


def test_no_board():
    class Nothing:
        def write(self, data):
            pass

        def read(self):
            return b""

        def send_break(self):
            pass

    a, w = operands(np.random.default_rng(7), 1, 1, 1)
    with pytest.raises(HostError, match=r"^The board does not acknowledge$"):
        Session(Nothing(), core()).gemm(a, w)


def test_damage_on_the_way_back(board):
    """A flipped bit in a result never passes for a result."""

    class Damaging(Noisy):
        def damaged(self):
            found = board.read()
            # All of the weights are sent; their acknowledgement is 5 bytes.
            for _ in found if self.writes == 3 else b"":
                self.seen.append(0)
                if len(self.seen) == 10:
                    return flipped(found, 0)
            return found

    noisy = Damaging(board, lambda n, data: data)
    noisy.seen, noisy.read = [], noisy.damaged
    a, w = operands(np.random.default_rng(8), 4, 1, 2)
    message = r"^The board gave 3 beats of results, not 4; damaged frames: 1$"
    with pytest.raises(HostError, match=message):
        Session(noisy, core()).gemm(a, w)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"core": 1}, TypeError, "Core must be a GemmCore, not 1"),
        ({"frequency": 1.5}, TypeError, "Frequency must be a positive integer, not 1.5"),
        ({"baud": 0}, ValueError, "Baud rate must be a positive integer, not 0"),
        (
            {"baud": 300_000},
            ValueError,
            "Baud rate must divide the clock of 1000000 Hz by 4 or more, to within 2 %, not 300000",
        ),
        (
            {"baud": 220_000},
            ValueError,
            "Baud rate must divide the clock of 1000000 Hz by 4 or more, to within 2 %, not 220000",
        ),
    ],
)
def test_bad_parameters(arguments, error, message):
    arguments = {"core": core(), "frequency": 1_000_000, "baud": 100_000} | arguments
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        BoardTop(arguments.pop("core"), **arguments)


def test_cores_that_do_not_go_behind_a_uart():
    for made, message in (
        (core(columns=64), "Columns must be at most 63 behind a UART, not 64"),
        (core(accumulate=True), "Core must be built without accumulate behind a UART"),
        (core(columns=32, quantize=True), "Core must be built without quantize behind a UART"),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            BoardTop(made, frequency=1_000_000, baud=100_000)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(1)
    for name, shape in (("a", (3, 64)), ("w", (3, 64))):
        np.save(tmp_path / f"{name}.npy", rng.standard_normal(shape).astype(np.float32))
    return tmp_path


def command(folder, port, *more):
    files = ["--activations", folder / "a.npy", "--weights", folder / "w.npy"]
    return ["host", "--port", port, "gemm", *files, "--rows", 4, "--buffer-groups", 8, *more]


def test_command(folder):
    status, out, _ = m2xfp(*command(folder, "sim"))
    assert status == 0
    assert re.fullmatch(
        r"product  3 x 64 by 3 x 64, m2xfp\n"
        r"board    simulated in Verilator\n"
        r"cycles   \d+\n"
        r"verdict  PASS: 9 outputs compared, all bits agree with golden\n",
        out,
    )


def test_command_fails_when_a_bit_differs(folder, monkeypatch):
    original = golden.accumulate

    def accumulate(*operands):
        sums = original(*operands)
        sums.view(np.uint32)[1, 2] ^= 1
        return sums

    monkeypatch.setattr(golden, "accumulate", accumulate)
    status, out, _ = m2xfp(*command(folder, "sim"))
    assert status == 1
    assert "verdict  FAIL: 1 of 9 outputs differ from golden\n" in out


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--columns", 0], "Columns must be a positive integer, not 0"),
        (["--columns", 64], "Columns must be at most 63 behind a UART, not 64"),
        (["--buffer-groups", 4], "Activation buffer must hold 6 groups, not 4"),
        (["--rows", 1], "Rows must be an integer from 2 to 65535, not 1"),
    ],
)
def test_refused(folder, more, message):
    assert_refused(folder, message, *command(folder, "sim", *more))


def test_no_such_port(folder):
    status, out, err = m2xfp(*command(folder, folder / "none"))
    assert (status, out) == (2, "")
    assert err.startswith(f"m2xfp: error: Cannot open port {folder / 'none'}: ")
    assert err.count("\n") == 1
