import numpy as np


def word_count(width: int) -> int:
    """Return how many 32-bit words hold ``width`` bits."""
    return -(-width // 32)


def to_int(words: np.ndarray) -> int:
    """Join one row of uint32 words, lowest word first, into an integer."""
    return int.from_bytes(np.asarray(words, "<u4").tobytes(), "little")


def to_ints(rows: np.ndarray) -> list[int]:
    """Join every row of an (n, words) uint32 array into an integer."""
    data = np.ascontiguousarray(rows, "<u4").tobytes()
    size = 4 * rows.shape[1]
    return [int.from_bytes(data[at : at + size], "little") for at in range(0, len(data), size)]


def from_ints(values: list[int], words: int) -> np.ndarray:
    """Split non-negative integers into an (n, words) uint32 array, lowest word first."""
    data = b"".join(value.to_bytes(4 * words, "little") for value in values)
    return np.frombuffer(data, "<u4").astype(np.uint32).reshape(len(values), words)
