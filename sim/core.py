"""Matrix products on the GEMM core: commands and streams out of tensors, results back."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from amaranth.lib import data

from hdl.core import Command, GemmCore, Output, Status

from .engines.words import from_ints, to_int, word_count

#: 32-bit words of a status record.
STATUS_WORDS = Status.as_shape().size // 32


@dataclass(frozen=True)
class Gemm:
    """One command, and how its streams are ordered on a core.

    Attributes
    ----------
    rows, groups, channels : int
        M, groups along K, N.
    tag : int
    panel : int
        Groups of a row before the next row; 0 for all.
    output : Output
    accumulate : bool
    columns, block_rows : int
        Size of the core's tile.
    """

    rows: int
    groups: int
    channels: int
    columns: int
    block_rows: int
    tag: int = 0
    panel: int = 0
    output: Output = Output.FP32
    accumulate: bool = False

    @classmethod
    def on(cls, core: GemmCore, rows: int, groups: int, channels: int, **options) -> "Gemm":
        """Return a command for a core; ``options`` are tag, panel, output and accumulate."""
        return cls(rows, groups, channels, core.columns, core.rows, **options)

    @property
    def word(self) -> int:
        """The command word."""
        return Command.const(
            {
                "rows": self.rows,
                "groups": self.groups,
                "channels": self.channels,
                "tag": self.tag,
                "panel": self.panel,
                "output": self.output,
                "accumulate": int(self.accumulate),
            }
        ).as_bits()

    @property
    def tiles(self) -> int:
        """Blocks of channels."""
        return -(-self.channels // self.columns)

    @property
    def result_beats(self) -> int:
        """Beats of the result stream, and rows of C."""
        return self.rows * self.tiles

    def row_blocks(self) -> Iterator[slice]:
        """Rows of every block."""
        for start in range(0, self.rows, self.block_rows):
            yield slice(start, min(start + self.block_rows, self.rows))

    def activation_beats(self, words: np.ndarray) -> np.ndarray:
        """Order groups (M, K groups, words) as the core takes them: (n, words)."""
        panel = self.panel or self.groups
        parts = [
            words[block, start : start + panel].reshape(-1, words.shape[-1])
            for block in self.row_blocks()
            for start in range(0, self.groups, panel)
        ]
        return np.concatenate(parts)

    def weight_beats(self, words: np.ndarray) -> np.ndarray:
        """Order groups (N, K groups, words) as the core takes them: (n, words)."""
        once = [
            words[start : start + self.columns].transpose(1, 0, 2).reshape(-1, words.shape[-1])
            for start in range(0, self.channels, self.columns)
        ]
        return np.concatenate(once * len(list(self.row_blocks())))

    def c_beats(self, c: np.ndarray) -> np.ndarray:
        """Order FP32 sums (M, N) as the core takes them: uint32 (n, columns)."""
        padding = self.tiles * self.columns - self.channels
        bits = np.pad(np.ascontiguousarray(c, np.float32).view(np.uint32), ((0, 0), (0, padding)))
        tiled = bits.reshape(self.rows, self.tiles, self.columns)
        parts = [
            tiled[block].transpose(1, 0, 2).reshape(-1, self.columns) for block in self.row_blocks()
        ]
        return np.concatenate(parts)

    def untile(self, beats: np.ndarray) -> np.ndarray:
        """Put beats of FP32 results, uint32 (n, columns), in their places in (M, N) float32."""
        return self._placed(beats, self.channels).view(np.float32)

    def untile_groups(self, beats: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        """Put words of quantized groups, uint32 (n, words), in their places: (M, groups, words)."""
        placed = self._placed(beats, None).reshape(self.rows, -1, shape[2])
        return placed[:, : shape[1]]

    def _placed(self, beats: np.ndarray, width: int | None) -> np.ndarray:
        placed = np.empty((self.rows, self.tiles, beats.shape[-1]), np.uint32)
        start = 0
        for block in self.row_blocks():
            shape = (self.tiles, block.stop - block.start, beats.shape[-1])
            stop = start + shape[0] * shape[1]
            placed[block] = beats[start:stop].reshape(shape).transpose(1, 0, 2)
            start = stop
        return np.ascontiguousarray(placed.reshape(self.rows, -1)[:, :width])


def framed(beats: np.ndarray, width: int, *, last: bool = True) -> np.ndarray:
    """Add TLAST to the last beat: payloads of an `hdl.core.layouts.axis` stream.

    Parameters
    ----------
    beats : uint32 array of shape (n, words)
    width : int
        Bits of TDATA.
    last : bool
        Whether the last beat ends the frame.
    """
    payloads = np.zeros((len(beats), word_count(width + 1)), np.uint32)
    payloads[:, : beats.shape[1]] = beats
    if last:
        payloads[-1, width // 32] |= np.uint32(1 << width % 32)
    return payloads


def command_beats(commands: list[Gemm]) -> np.ndarray:
    """Return the payloads of the command stream."""
    return np.concatenate([framed(from_ints([gemm.word], 2), 64) for gemm in commands])


def statuses(beats: np.ndarray) -> list[data.Const]:
    """Read status records from payloads of the status stream, checking their TLAST."""
    records = beats.reshape(-1, STATUS_WORDS, 2)
    expected = np.arange(STATUS_WORDS) == STATUS_WORDS - 1
    if not (records[:, :, 1] == expected).all():
        raise ValueError("TLAST must be on the last word of every status record, and only there")
    return [Status.from_bits(to_int(record[:, 0])) for record in records]
