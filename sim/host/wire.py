"""Frames in software: `docs/board.md`, written without the gateware's own tables or checksum."""

import binascii
from dataclasses import dataclass

#: First byte of a frame.
SYNC = 0xA5
#: Bytes of payload at most.
MAX_PAYLOAD = 255
#: Streams to the board, and what comes from it.
COMMANDS, ACTIVATIONS, WEIGHTS = range(3)
ACKNOWLEDGEMENT, RESULTS, STATUS = range(3)


@dataclass(frozen=True)
class Frame:
    """One frame: ``stream``, ``payload``, and the bits ``last`` and ``sequence``."""

    stream: int
    payload: bytes = b""
    last: bool = False
    sequence: int = 0

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        body = bytes([self.stream | self.last << 2 | self.sequence << 3, len(self.payload)])
        body += self.payload
        return bytes([SYNC]) + body + binascii.crc_hqx(body, 0xFFFF).to_bytes(2, "big")


class Parser:
    """Finds frames in bytes that come in pieces, whatever lies between.

    Attributes
    ----------
    damaged : int
        Times that a frame seemed to begin and its checksum was wrong; the search goes on after
        the byte it seemed to begin with.
    """

    def __init__(self):
        self.damaged = 0
        self._bytes = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes and return the frames that are complete."""
        self._bytes += data
        frames = []
        while (start := self._bytes.find(SYNC)) >= 0:
            found = self._bytes = self._bytes[start:]
            if len(found) < 3 or len(found) < found[2] + 5:
                return frames
            size = found[2] + 5
            if binascii.crc_hqx(found[1:size], 0xFFFF):
                self.damaged += 1
                self._bytes = found[1:]
                continue
            kind = found[1]
            frames.append(Frame(kind & 3, found[3 : size - 2], bool(kind >> 2 & 1), kind >> 3 & 1))
            self._bytes = found[size:]
        self._bytes = b""
        return frames
