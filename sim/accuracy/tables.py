"""Markdown tables of an evaluation."""

from collections.abc import Iterable, Sequence

from golden import formats

from .configuration import Encoding, Mode
from .results import Results, verdict
from .statistics import Estimate, mean


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(found: Estimate, digits: int) -> str:
    """Return a value and its standard error."""
    error = "" if found.error != found.error else f" ± {found.error:.{digits}f}"
    return f"{found.value:.{digits}f}{error}"


def percent(found: Estimate) -> str:
    """Return a share and its standard error in percent."""
    return f"{number(Estimate(100 * found.value, 100 * found.error), 1)} %"


def decoder(results: Results) -> str:
    """Return perplexity, change of log-likelihood, divergence and agreement."""
    base = results.perplexity(results.baseline["log_likelihood"])
    rows = [["float32 (dequantized Q4_1)", "", "", number(base, 2), "0", "0", "100 %"]]
    for (encoding, mode), found in results.decoder.items():
        if encoding.calibrated and not mode.weights:
            continue  # the same as without
        rows.append(
            [
                encoding.label,
                f"{encoding.bits:g}",
                mode.value,
                number(results.perplexity(found["log_likelihood"]), 2),
                number(_negative(mean(results.losses(encoding, mode, "likelihood"))), 3),
                number(mean(results.losses(encoding, mode, "kl")), 3),
                percent(mean(found["agreement"])),
            ]
        )
    header = ["format", "bits", "quantized", "perplexity", "Δ log-likelihood", "KL", "same top-1"]
    return markdown(header, rows)


def reductions(results: Results, pairs: Sequence[tuple[Encoding, Encoding, str]]) -> str:
    """Return how much less one encoding loses than another, beside the paper's figure.

    Parameters
    ----------
    results : Results
        An evaluation.
    pairs : sequence of (ours, other, paper)
        Encodings to compare, and what the paper claims of them.
    """
    rows = []
    for ours, other, paper in pairs:
        for mode in Mode:
            kl = results.reduction(ours, other, mode, "kl")
            likelihood = results.reduction(ours, other, mode, "likelihood")
            rows.append(
                [
                    f"{ours.label} against {other.label}",
                    mode.value,
                    percent(kl),
                    percent(likelihood),
                    paper if mode is Mode.BOTH else "",
                    verdict(kl),
                ]
            )
    header = [
        "loss reduction", "quantized", "in KL", "in log-likelihood", "paper, zero-shot", "less loss"
    ]  # fmt: skip
    return markdown(header, rows)


def layers(results: Results) -> str:
    """Return the mean SQNR over the blocks of every kind of layer: weights, inputs, output."""
    kinds = list(results.layer_means(results.encodings[0], "output"))
    rows = []
    for encoding in results.layers:
        means = {
            what: results.layer_means(encoding, what)
            for what in ("weights", "activations", "output")
        }
        rows.append(
            [
                encoding.label,
                str(formats.get(encoding.format).group),
                *(" / ".join(f"{means[what][kind]:.1f}" for what in means) for kind in kinds),
            ]
        )
    return markdown(["format", "group", *kinds], rows)


def embedder(results: Results) -> str:
    """Return 1 - cosine of the embeddings, in thousandths."""
    rows = [
        [encoding.label]
        + [
            number(thousand(mean(results.embedding[encoding, mode]["distance"])), 2)
            for mode in Mode
        ]
        for encoding in results.encodings
    ]
    return markdown(["1000 (1 - cosine)", *(mode.value for mode in Mode)], rows)


def _negative(found: Estimate) -> Estimate:
    return Estimate(-found.value, found.error)


def thousand(found: Estimate) -> Estimate:
    """Return a number in thousandths."""
    return Estimate(1000 * found.value, 1000 * found.error)
