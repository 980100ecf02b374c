from dataclasses import dataclass


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


def seeded(block: str, killer: str, *bugs: tuple[str, str, str, str]) -> list[Mutant]:
    """Return the bugs of a block that one test catches: name, file, old and new text each."""
    return [Mutant(f"{block}: {name}", *bug, killer) for name, *bug in bugs]
