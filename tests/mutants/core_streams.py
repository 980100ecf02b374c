"""Seeded bugs of the core's blocks that their proofs catch."""

from .mutant import seeded

_PROOF = "tests/proofs/test_proofs.py::test_proof[{}]"

CORE_STREAMS = [
    *seeded(
        "frame",
        _PROOF.format("stream of a frame"),
        (
            "TLAST in time is late",
            "hdl/core/frame.py",
            "self.late.eq(taken & ~last & self.final)",
            "self.late.eq(taken & self.final)",
        ),
        (
            "waiting for TLAST is no stall",
            "hdl/core/frame.py",
            "[self.i.ready.eq(1), self.stalled.eq(~self.i.valid)]",
            "self.i.ready.eq(1)",
        ),
    ),
    *seeded(
        "walk",
        _PROOF.format("walk through the tiles"),
        (
            "the next block begins where the tile ended",
            "hdl/core/walk.py",
            "left_rows.eq(left_rows - self._rows),\n                    "
            "left_channels.eq(self.total_channels)",
            "left_rows.eq(left_rows - self._rows)",
        ),
        (
            "a full last tile is followed by an empty one",
            "hdl/core/walk.py",
            "self.last_channels.eq(left_channels <= self._columns)",
            "self.last_channels.eq(left_channels < self._columns)",
        ),
    ),
    *seeded(
        "control",
        _PROOF.format("check of a command"),
        (
            "the size wraps",
            "hdl/core/control.py",
            "size = Signal(16 + steps)",
            "size = Signal(16)",
        ),
        (
            "rows beyond a block are counted",
            "hdl/core/control.py",
            "block = Mux(self.command.rows < self._rows, self.command.rows, self._rows)",
            "block = self.command.rows",
        ),
        (
            "a full buffer is refused",
            "hdl/core/control.py",
            "with m.Elif(size > self._depth):",
            "with m.Elif(size >= self._depth):",
        ),
    ),
    *seeded(
        "control",
        _PROOF.format("streams of the control"),
        (
            "the record ends a word early",
            "hdl/core/control.py",
            "self.status.payload.last.eq(index == Status.as_shape().size // WORD - 1)",
            "self.status.payload.last.eq(index == Status.as_shape().size // WORD - 2)",
        ),
        (
            "done is forgotten while frames end",
            "hdl/core/control.py",
            "finished.eq(finished | self.done)",
            "finished.eq(self.done)",
        ),
    ),
    *seeded(
        "weight feeder",
        _PROOF.format("stream of the weight feeder"),
        (
            "padding waits for a weight",
            "hdl/core/weights.py",
            "running & (~exists | self.i.valid)",
            "running & self.i.valid",
        ),
        (
            "final in the last column only",
            "hdl/core/weights.py",
            "(column == walk.channels - 1)",
            "(column == self._columns - 1)",
        ),
    ),
    *seeded(
        "feeder of C",
        _PROOF.format("stream of the feeder of C"),
        (
            "every block is the last",
            "hdl/core/initial.py",
            "self.final.eq(last_row & walk.last_channels & walk.last_rows)",
            "self.final.eq(last_row & walk.last_channels)",
        ),
    ),
    *seeded(
        "result stage",
        _PROOF.format("stream of the results, FP32"),
        (
            "NaN of padding are counted",
            "hdl/core/results.py",
            "word[22:31].all() & there for",
            "word[22:31].all() & (there | 1) for",
        ),
    ),
    *seeded(
        "result stage",
        _PROOF.format("stream of the results, quantized"),
        (
            "engines beside each other stall apart",
            "hdl/core/results.py",
            "engine.groups.ready.eq(self.results.ready)",
            "engine.groups.ready.eq(self.results.ready | (index > 0))",
        ),
        (
            "NaN are counted as beats leave",
            "hdl/core/results.py",
            "exists.eq(Cat(i < entering.channels",
            "exists.eq(Cat(i < place.channels",
        ),
    ),
    *seeded(
        "activation buffer",
        "tests/core/test_core.py::test_blocks_tiles_and_panels_in_amaranth",
        (
            "the next block overwrites the last beats",
            "hdl/core/buffer.py",
            "with m.If(last_row & (left == 1)):",
            "with m.If(last_row & (left <= 2)):",
        ),
        (
            "the last block ends the frame early",
            "hdl/core/buffer.py",
            "self.final.eq(block_end & walk.last_rows)",
            "self.final.eq(block_end)",
        ),
    ),
]
