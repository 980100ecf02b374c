"""Seeded bugs of the GEMM core."""

from .mutant import seeded

_TEST = "tests/core/test_core.py::"
_BLOCKS = _TEST + "test_blocks_tiles_and_panels_in_amaranth"
_C = _TEST + "test_c_in_amaranth"
_LATE = _TEST + "test_late_tlast_in_amaranth"
_EARLY = _TEST + "test_early_tlast_in_amaranth"
_REFUSED = _TEST + "test_refused_commands_in_amaranth[sizes3-options3-Refusal.OVERSIZED]"

CORE = [
    *seeded(
        "core",
        _BLOCKS,
        (
            "TLAST with every last row of a tile",
            "hdl/core/results.py",
            "self.last.eq(last_row & walk.last_channels & walk.last_rows)",
            "self.last.eq(last_row & walk.last_rows)",
        ),
        (
            "TKEEP of a whole tile",
            "hdl/core/results.py",
            "keep = Cat((i < place.channels).replicate(4) for i in range(self._columns))",
            "keep = Cat((i < self._columns + place.channels * 0).replicate(4) "
            "for i in range(self._columns))",
        ),
        (
            "panels are stored as they come",
            "hdl/core/buffer.py",
            "address.eq(address + walk.rows)",
            "address.eq(address + 1)",
        ),
        (
            "groups overwritten while they wait",
            "hdl/core/buffer.py",
            "read.en.eq(advance)",
            "read.en.eq(1)",
        ),
        (
            "one group along K too few",
            "hdl/core/buffer.py",
            "last.eq(left == 1)",
            "last.eq(left <= 2)",
        ),
        (
            "a narrow tile takes weights of the next",
            "hdl/core/weights.py",
            "exists.eq(column < walk.channels)",
            "exists.eq(1)",
        ),
        (
            "a short block is as long as a full one",
            "hdl/core/walk.py",
            "self.rows.eq(Mux(self.last_rows, left_rows, self._rows))",
            "self.rows.eq(self._rows)",
        ),
        (
            "tag of the command before",
            "hdl/core/control.py",
            "record.tag.eq(self.command.tag)",
            "record.tag.eq(self.command.tag - 1)",
        ),
        (
            "MACs of padding are counted",
            "hdl/core/counters.py",
            "channels.eq(channels + events.channels)",
            "channels.eq(channels + 2)",
        ),
    ),
    *seeded(
        "core",
        _C,
        (
            "C is taken but not added",
            "hdl/tile/tile.py",
            "start = initial.sums[index]",
            "start = 0",
        ),
        (
            "C is taken by commands that have none",
            "hdl/core/core.py",
            "c.absent.eq(~control.command.accumulate)",
            "c.absent.eq(0)",
        ),
    ),
    *seeded(
        "core",
        _TEST + "test_starved_c_in_amaranth",
        (
            "a sum starts before its C is there",
            "hdl/tile/front.py",
            "(~beat.first | self.initial)",
            "(~beat.first | 1)",
        ),
    ),
    *seeded(
        "core",
        _LATE,
        ("surplus beats are kept", "hdl/core/frame.py", 'm.next = "DROP"', 'm.next = "IDLE"'),
    ),
    *seeded(
        "core",
        _EARLY,
        ("a short frame goes on", "hdl/core/frame.py", "with m.Elif(self.early):", "with m.If(0):"),
        (
            "early and late are mixed up",
            "hdl/core/core.py",
            'events.flags[f"{name}_early"].eq(frame.early)',
            'events.flags[f"{name}_early"].eq(frame.late)',
        ),
    ),
    *seeded(
        "core",
        _REFUSED,
        (
            "one row forgotten in the size",
            "hdl/core/control.py",
            "with m.If(step == steps - 1):",
            "with m.If(step == steps - 2):",
        ),
        (
            "no room checked",
            "hdl/core/control.py",
            "with m.Elif(size > self._depth):",
            "with m.Elif(0):",
        ),
    ),
]
