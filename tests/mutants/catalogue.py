from dataclasses import dataclass

_STALLS = "tests/hdl/test_tile.py::test_every_result_bit_in_amaranth"
_STARVED = "tests/hdl/test_tile.py::test_starved_stream_in_amaranth"
_SLOW = "tests/hdl/test_tile.py::test_slow_results_in_amaranth"


@dataclass(frozen=True)
class Mutant:
    """A bug that the test suite must catch.

    Attributes
    ----------
    name : str
    file : str
        Source file, relative to the project.
    old, new : str
        Text that occurs once in the file, and what replaces it.
    killer : str
        The quickest test that must fail.
    """

    name: str
    file: str
    old: str
    new: str
    killer: str


MUTANTS = [
    Mutant(
        "tile: rows of the next pass follow too soon",
        "hdl/tile/front.py",
        "row < self._row_distance - 1, wait, 0)",
        "row < self._row_distance - 1, 0, 0)",
        _STALLS,
    ),
    Mutant(
        "tile: a new set starts before it is complete",
        "hdl/tile/weights.py",
        "store.level >= columns)",
        "store.level >= columns - 1)",
        _STARVED,
    ),
    Mutant(
        "tile: results overwrite results that wait",
        "hdl/tile/front.py",
        "(~beat.last | free.any())",
        "(~beat.last | 1)",
        _SLOW,
    ),
    Mutant(
        "tile: first group adds to what the last product left",
        "hdl/tile/tile.py",
        "Mux(add.first, 0, partials.read_data)",
        "partials.read_data",
        _STALLS,
    ),
    Mutant(
        "tile: bubbles write partial sums",
        "hdl/tile/tile.py",
        "partials.write_en.eq(write.valid)",
        "partials.write_en.eq(1)",
        _STARVED,
    ),
    Mutant(
        "tile: a waiting result is replaced by the next",
        "hdl/tile/results.py",
        "waiting.any() & (~self.results.valid | self.results.ready)",
        "waiting.any()",
        _SLOW,
    ),
]
