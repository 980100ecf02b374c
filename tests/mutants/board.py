"""Seeded bugs of the UART and of the bridge to the core."""

from .mutant import seeded

_UART = "tests/board/test_uart.py::"
_BOARD = "tests/board/test_board.py::"
_PROOF = "tests/proofs/test_proofs.py::test_proof[{}]"

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
    *seeded(
        "board",
        _PROOF.format("bits of the UART's transmitter"),
        (
            "bits are sent from the highest",
            "hdl/board/uart.py",
            "Cat(Const(0, 1), self.i.payload, Const(1, 1))",
            "Cat(Const(0, 1), self.i.payload[::-1], Const(1, 1))",
        ),
        (
            "bits on the line are a cycle short",
            "hdl/board/uart.py",
            "left.eq(left - 1),\n                timer.eq(self._divisor - 1)",
            "left.eq(left - 1),\n                timer.eq(self._divisor - 2)",
        ),
        (
            "a byte that waits comes late",
            "hdl/board/uart.py",
            "with m.If((left == 1) & (timer == 0)):",
            "with m.If(0):",
        ),
    ),
    *seeded(
        "board",
        _PROOF.format("bits of the UART's receiver"),
        (
            "bits are received from the highest",
            "hdl/board/uart.py",
            "Cat(self.data[1:], line)",
            "Cat(line, self.data[:-1])",
        ),
        (
            "a glitch is a start bit",
            "hdl/board/uart.py",
            "with m.If((bits == 0) & line):",
            "with m.If(0):",
        ),
        (
            "a break is forgotten with its byte",
            "hdl/board/uart.py",
            'm.next = "HIGH"',
            'm.next = "IDLE"',
        ),
    ),
    *seeded(
        "board",
        _PROOF.format("UART in a loop"),
        (
            "odd bytes are not strobed",
            "hdl/board/uart.py",
            "self.strobe.eq(line)",
            "self.strobe.eq(line & ~self.data[0])",
        ),
    ),
    *seeded(
        "board",
        _PROOF.format("frames to the board"),
        (
            "reserved bits may be set",
            "hdl/board/receiver.py",
            "(self.data[:2] == target) & (self.data[4:] == 0)",
            "self.data[:2] == target",
        ),
        (
            "a checksum goes on from the frame before",
            "hdl/board/receiver.py",
            "m.d.comb += crc.start.eq(1)",
            "m.d.comb += crc.start.eq(self.data != SYNC)",
        ),
        (
            "TLAST with every beat",
            "hdl/board/receiver.py",
            "kind.last & (index == length)",
            "kind.last",
        ),
        (
            "bytes of a beat are turned round",
            "hdl/board/receiver.py",
            "Cat(beat[8:], read.data)",
            "Cat(read.data, beat[:-8])",
        ),
        (
            "a beat is gone before it is taken",
            "hdl/board/receiver.py",
            "with m.If(self.o.ready):",
            "with m.If(1):",
        ),
    ),
    *seeded(
        "board",
        _PROOF.format("frames from the board"),
        (
            "the lower half of the checksum is read late",
            "hdl/board/sender.py",
            "self.o.payload.eq(left)]",
            "self.o.payload.eq(crc.crc[:8])]",
        ),
        (
            "results go before acknowledgements",
            "hdl/board/sender.py",
            "with m.If(self.acknowledge.valid):",
            "with m.If(self.acknowledge.valid & ~self.results.valid):",
        ),
        (
            "status words go out as results",
            "hdl/board/sender.py",
            "kind.stream.eq(reply)",
            "kind.stream.eq(Reply.RESULTS)",
        ),
        (
            "the checksum covers the first byte",
            "hdl/board/sender.py",
            "crc.valid.eq(self.o.valid & self.o.ready & ~crc.start)",
            "crc.valid.eq(self.o.valid & self.o.ready)",
        ),
        (
            "a byte on its way out is lost",
            "hdl/board/sender.py",
            "self.o.payload.eq(payload[:8])]\n                with m.If(self.o.ready):",
            "self.o.payload.eq(payload[:8])]\n                with m.If(1):",
        ),
    ),
]
