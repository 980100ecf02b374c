"""Seeded bugs of the UART and of the bridge to the core."""

from .mutant import seeded

_UART = "tests/board/test_uart.py::"
_BOARD = "tests/board/test_board.py::"

BOARD = [
    *seeded(
        "board",
        _UART + "test_receiver_at_the_sender_s_own_pace[98]",
        (
            "bits are sampled at their end",
            "hdl/board/uart.py",
            "timer.eq(self._divisor // 2 - 1)",
            "timer.eq(self._divisor - 2)",
        ),
    ),
    *seeded(
        "board",
        _UART + "test_byte_without_stop_bit_is_dropped",
        (
            "no stop bit is asked for",
            "hdl/board/uart.py",
            "self.strobe.eq(line)",
            "self.strobe.eq(1)",
        ),
    ),
    *seeded(
        "board",
        _BOARD + "test_noise_is_survived[payload]",
        (
            "the checksum is not compared",
            "hdl/board/receiver.py",
            "with m.If(crc.match_detected):",
            "with m.If(1):",
        ),
    ),
    *seeded(
        "board",
        _BOARD + "test_a_lost_acknowledgement_delivers_nothing_twice",
        (
            "a repeated frame is handed on again",
            "hdl/board/receiver.py",
            "with m.If(kind.sequence == expected):",
            "with m.If(1):",
        ),
    ),
    *seeded(
        "board",
        _BOARD + "test_a_break_forgets_a_session_that_ended_half_way",
        (
            "a break leaves the core as it is",
            "hdl/board/top.py",
            "m.submodules.core = reset(self._core)",
            "m.submodules.core = self._core",
        ),
    ),
]
