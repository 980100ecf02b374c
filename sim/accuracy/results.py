"""What an evaluation found."""

from dataclasses import dataclass, field

import numpy as np

from .configuration import Encoding, Mode
from .statistics import Estimate, mean, reduction

#: Two standard errors: what counts as a difference.
SIGNIFICANT = 2


@dataclass
class Results:
    """Everything a report needs.

    Attributes
    ----------
    tokens, text_sha256
        Scored tokens, and the hash of their numbers.
    baseline : dict
        The float model: ``log_likelihood`` of every sequence, nats a token.
    decoder : dict of (Encoding, Mode) to dict
        ``log_likelihood``, ``kl`` (nats a token) and ``agreement`` of every sequence.
    layers : dict of Encoding to dict
        Layer -> dB of ``weights``, ``activations`` and ``output``.
    embedding : dict of (Encoding, Mode) to dict
        ``distance``, 1 - cosine, of every text.
    gateware : dict or None
        See `compare_block`; None if it was not asked for.
    """

    tokens: int
    text_sha256: str
    baseline: dict = field(default_factory=dict)
    decoder: dict = field(default_factory=dict)
    layers: dict = field(default_factory=dict)
    embedding: dict = field(default_factory=dict)
    gateware: dict | None = None

    @property
    def encodings(self) -> list[Encoding]:
        """What was compared, in order."""
        return list(dict.fromkeys(encoding for encoding, _ in self.decoder))

    def perplexity(self, log_likelihood: list[float]) -> Estimate:
        """Return exp(-mean log-likelihood), its error to first order."""
        per_token = mean(np.array(log_likelihood))
        value = float(np.exp(-per_token.value))
        return Estimate(value, value * per_token.error)

    def losses(self, encoding: Encoding, mode: Mode, measure: str) -> np.ndarray:
        """Return a loss (sequences,): ``kl``, or ``likelihood``, nats lost against float."""
        found = self.decoder[encoding, mode]
        if measure == "kl":
            return np.array(found["kl"])
        return np.array(self.baseline["log_likelihood"]) - np.array(found["log_likelihood"])

    def reduction(self, ours: Encoding, other: Encoding, mode: Mode, measure: str) -> Estimate:
        """Return how much smaller one loss is than another, 1 - ours / other."""
        return reduction(self.losses(ours, mode, measure), self.losses(other, mode, measure))

    def embedding_reduction(self, ours: Encoding, other: Encoding, mode: Mode) -> Estimate:
        """Return how much smaller one distance to the float embedding is than another."""
        return reduction(
            self.embedding[ours, mode]["distance"], self.embedding[other, mode]["distance"]
        )

    def layer_means(self, encoding: Encoding, what: str) -> dict[str, float]:
        """Return the mean dB over the blocks for every kind of layer."""
        kinds: dict[str, list[float]] = {}
        for name, values in self.layers[encoding].items():
            kinds.setdefault(name.split(".", 2)[2], []).append(values[what])
        return {kind: float(np.mean(values)) for kind, values in kinds.items()}


def verdict(found: Estimate) -> str:
    """Say whether a reduction of a loss is one, is the opposite, or is undecided."""
    if found.value > SIGNIFICANT * found.error:
        return "holds"
    if found.value < -SIGNIFICANT * found.error:
        return "does not hold"
    return "undecided"
