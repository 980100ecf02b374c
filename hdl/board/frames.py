"""What frames on the wire are made of; `docs/board.md` describes the protocol."""

from amaranth.hdl import unsigned
from amaranth.lib import data, enum
from amaranth.lib.crc import Parameters
from amaranth.lib.crc.catalog import CRC16_IBM_3740

__all__ = ["MAX_PAYLOAD", "SYNC", "Kind", "Reply", "Stream", "checksum"]

#: First byte of every frame.
SYNC = 0xA5
#: Bytes of payload in a frame at most: the length is one byte.
MAX_PAYLOAD = 255


class Stream(enum.Enum, shape=unsigned(2)):
    """Stream of the core that a frame from the host is for."""

    COMMANDS = 0
    ACTIVATIONS = 1
    WEIGHTS = 2


class Reply(enum.Enum, shape=unsigned(2)):
    """What a frame to the host carries."""

    ACKNOWLEDGEMENT = 0
    RESULTS = 1
    STATUS = 2


class Kind(data.Struct):
    """Second byte of a frame.

    Members
    -------
    stream : unsigned(2)
        `Stream` from the host, `Reply` to it.
    last : unsigned(1)
        TLAST of the last beat of the payload.
    sequence : unsigned(1)
        Differs between a frame from the host and the next; an acknowledgement repeats it.
    reserved : unsigned(4)
        Zero.
    """

    stream: unsigned(2)
    last: unsigned(1)
    sequence: unsigned(1)
    reserved: unsigned(4)


def checksum() -> Parameters:
    """Return the CRC of everything after `SYNC`, sent with its upper byte first."""
    return CRC16_IBM_3740(8)
