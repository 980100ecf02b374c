"""A checksum of which a proof knows only what it was fed."""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class ChecksumStub(wiring.Component):
    """Stands for Amaranth's CRC: its register takes anything whenever the CRC's would change.

    Attributes
    ----------
    anything : In(17)
        What the register takes, and whether that is a match.
    start, data, valid, crc, match_detected
        As those of `amaranth.lib.crc.Processor`.
    """

    anything: In(17)
    start: In(1)
    data: In(8)
    valid: In(1)
    crc: Out(16)
    match_detected: Out(1)

    def made(self) -> "ChecksumStub":
        """Return itself: stands for the function that returns parameters."""
        return self

    def create(self) -> "ChecksumStub":
        """Return itself, as parameters return a new unit."""
        return self

    def elaborate(self, platform):
        """Keep what was free when the last byte came."""
        m = Module()
        with m.If(self.start | self.valid):
            m.d.sync += [
                self.crc.eq(self.anything[:16]),
                self.match_detected.eq(self.anything[16]),
            ]
        return m

    def wrong(self, m: Module, within, first, feeds, byte):
        """Return whether it is fed anything but what it has to be.

        Parameters
        ----------
        m : Module
            Where a register goes.
        within, first, feeds, byte : Value
            Whether the bytes of a frame are fed now; whether the next is the first one; whether
            there is one in this cycle; and which.
        """
        fresh = Signal()
        with m.If(self.valid):
            m.d.sync += fresh.eq(0)
        with m.Elif(self.start):
            m.d.sync += fresh.eq(1)
        stale = ~fresh & ~self.start
        return within & (
            (self.valid != feeds)
            | (feeds & (self.data != byte))
            | (first & feeds & stale)
            | (~first & self.start)
        )
