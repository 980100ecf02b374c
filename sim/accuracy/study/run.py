"""The divergence that every variant causes, in the set-up of the main comparison."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch.nn import functional

from golden.quantizer import processors

from .. import text, weights
from ..decoder_run import DecoderRun
from ..progress import Progress, timed
from ..store import Store
from .variants import VARIANTS, Variant

#: Tokens that are scored: the first ones of the main comparison.
TOKENS = 2048


@dataclass
class VariantLinears:
    """Linear layers with one operand quantized by a variant.

    Attributes
    ----------
    weights : dict of str to float32 tensor
        Weights of the layers, quantized if the variant is one of weights.
    variant : Variant
    """

    weights: dict[str, torch.Tensor]
    variant: Variant

    def __call__(self, names: Sequence[str], x: torch.Tensor) -> list[torch.Tensor]:
        """Compute the layers of these names."""
        if self.variant.role == "activations":
            x = torch.from_numpy(self.variant.quantize(x.numpy()))
        return [functional.linear(x, self.weights[name]) for name in names]


def evaluate(path: Path, progress: Progress) -> list[dict]:
    """Compute what is missing in the store, and return a record for every variant.

    Parameters
    ----------
    path : Path
        File of results.
    progress : Progress
        Is told of every step.

    Returns
    -------
    list of dict
        ``role``, ``name``, ``bits``, and ``kl`` of every sequence, nats a token.
    """
    tokenizer = weights.load_tokenizer()
    words = text.load(tokenizer, TOKENS)
    run = DecoderRun(words, text.load_calibration(tokenizer), path.parent, progress.advance)
    store = Store(path)
    records = []
    for variant in VARIANTS:
        key = {"kind": "study", "text": words.sha256, "model": run.model, **asdict(variant)}
        title = f"study, {variant.role}, {variant.name}"
        compute = timed(
            progress, title, len(words.sequences), lambda variant=variant: score(run, variant)
        )
        found = store.get(key, compute)
        names = {"role": variant.role, "name": variant.name, "bits": variant.bits}
        records.append({**names, "kl": found["kl"]})
    return records


def score(run: DecoderRun, variant: Variant) -> dict:
    """Return log-likelihood, divergence and agreement of every sequence."""
    layers = run.weights
    if variant.role == "weights":
        with ThreadPoolExecutor(processors()) as pool:
            coded = pool.map(variant.quantize, (layers[name].numpy() for name in run.names))
            layers = dict(zip(run.names, map(torch.from_numpy, coded), strict=True))
    return run.compare(VariantLinears(layers, variant))
