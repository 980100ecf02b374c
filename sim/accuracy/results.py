"""What an evaluation found."""

from dataclasses import dataclass, field

import numpy as np

from .configuration import Encoding, Mode
from .statistics import Estimate, difference, mean, reduction

#: Two standard errors: what counts as a difference.
SIGNIFICANT = 2


@dataclass
class Results:
    """Everything a report needs.

    Attributes
    ----------
    tokens, text_sha256
        Scored tokens, and the hash of their numbers.
    calibration_tokens, calibration_sha256
        The same of the text that calibrated encodings are given.
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
    study : list of dict
        See `sim.accuracy.study.run.evaluate`; empty if it was not asked for.
    """

    tokens: int
    text_sha256: str
    calibration_tokens: int
    calibration_sha256: str
    baseline: dict = field(default_factory=dict)
    decoder: dict = field(default_factory=dict)
    layers: dict = field(default_factory=dict)
    embedding: dict = field(default_factory=dict)
    gateware: dict | None = None
    study: list[dict] = field(default_factory=list)

    @property
    def encodings(self) -> list[Encoding]:
        """What was compared, in order."""
        return list(dict.fromkeys(encoding for encoding, _ in self.decoder))

    def figures(self) -> list[dict]:
        """Return what was measured on every sequence and text, one record each measurement."""
        facts = {
            "tokens": self.tokens,
            "text": self.text_sha256,
            "calibration_tokens": self.calibration_tokens,
            "calibration_text": self.calibration_sha256,
        }
        found = [facts, {"model": "decoder", "encoding": "float", **_rounded(self.baseline)}]
        for model, measured in (("decoder", self.decoder), ("embedder", self.embedding)):
            for (encoding, mode), measures in measured.items():
                names = {"model": model, "encoding": encoding.label, "quantized": mode.value}
                found.append(names | _rounded(measures))
        return found

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

    def paired(self, ours: Encoding, other: Encoding, mode: Mode) -> dict[str, Estimate]:
        """Return how much one loses less than another, as differences and as shares.

        Returns
        -------
        dict
            ``kl`` and ``distance`` (of embeddings): means of paired differences, ours - other;
            ``kl share`` and ``distance share``: 1 - ours / other.
        """
        kl = [self.losses(encoding, mode, "kl") for encoding in (ours, other)]
        distance = [self.embedding[encoding, mode]["distance"] for encoding in (ours, other)]
        return {
            "kl": difference(*kl),
            "kl share": reduction(*kl),
            "distance": difference(*distance),
            "distance share": reduction(*distance),
        }

    def layer_means(self, encoding: Encoding, what: str) -> dict[str, float]:
        """Return the mean dB over the blocks for every kind of layer."""
        kinds: dict[str, list[float]] = {}
        for name, values in self.layers[encoding].items():
            kinds.setdefault(name.split(".", 2)[2], []).append(values[what])
        return {kind: float(np.mean(values)) for kind, values in kinds.items()}


def _rounded(measures: dict[str, list[float]]) -> dict[str, list[float]]:
    return {name: [float(f"{v:.6g}") for v in values] for name, values in measures.items()}


def verdict(found: Estimate) -> str:
    """Say whether a reduction of a loss is one, is the opposite, or is undecided."""
    if found.value > SIGNIFICANT * found.error:
        return "holds"
    if found.value < -SIGNIFICANT * found.error:
        return "does not hold"
    return "undecided"
