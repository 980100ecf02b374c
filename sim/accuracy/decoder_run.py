"""The language model on a text: as float, and with quantized linear layers."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import torch

import golden
from golden.quantizer import processors

from . import metrics, weights
from .configuration import Encoding, Mode
from .layers import LayerErrors
from .model import Decoder, FloatLinears, Linears, layer_names
from .quantize import QuantizedLinears, quantize_weights
from .text import Text

#: Sequences on which layers are measured.
LAYER_SEQUENCES = 2

#: Elements of the tensor whose codes stand for the golden model in keys of results.
_PROBE = "blk.0.attn_q"


class DecoderRun:
    """The model, the text, and what the float model makes of it.

    Sequences are computed side by side, one thread each, and each sum in one thread: results do
    not depend on the number of processors. The float model's log-probabilities are kept, 200 kB
    a token.

    Parameters
    ----------
    text : Text
        What to score.
    advance : callable
        Called after every sequence.
    """

    def __init__(self, text: Text, advance: Callable[[], None]):
        torch.set_num_threads(1)
        self.text = text
        self.weights = weights.load_weights()
        shape = weights.load_shape()
        self.decoder = Decoder(shape, self.weights)
        self.names = layer_names(shape)
        self.float = FloatLinears(self.weights)
        self._advance = advance
        self._sequences = [torch.from_numpy(sequence) for sequence in text.sequences]
        self._reference: list[torch.Tensor] = []
        self._encoded: tuple[Encoding, dict[str, torch.Tensor]] | None = None

    def baseline(self) -> dict:
        """Return the float model's log-likelihood of every sequence, in nats a token."""
        pairs = zip(self._references(), self._sequences, strict=True)
        return {"log_likelihood": [metrics.log_likelihood(p, s[1:]) for p, s in pairs]}

    def score(self, encoding: Encoding, mode: Mode) -> dict:
        """Return log-likelihood, divergence and agreement of every sequence."""
        linears = QuantizedLinears(self.weights, self._quantized(encoding), encoding, mode)
        references = self._references()

        def one(index: int) -> tuple[float, float, float]:
            log_p, targets = self._log_probabilities(index, linears)
            reference = references[index]
            return (
                metrics.log_likelihood(log_p, targets),
                metrics.divergence(reference, log_p),
                metrics.agreement(reference, log_p),
            )

        columns = zip(*self._map(one, len(self._sequences)), strict=True)
        return dict(zip(("log_likelihood", "kl", "agreement"), map(list, columns), strict=True))

    def layers(self, encoding: Encoding) -> dict:
        """Return dB of every layer's weights, activations and output; see `LayerErrors`."""
        errors = LayerErrors(self.weights, self._quantized(encoding), encoding)
        for index in range(min(LAYER_SEQUENCES, len(self._sequences))):
            self._log_probabilities(index, errors)
            self._advance()
        return errors.table()

    def codes_hash(self, encoding: Encoding) -> str:
        """Return a hash of what golden makes of a real matrix, in both roles."""
        digest = hashlib.sha256()
        matrix = self.weights[_PROBE].numpy()
        for role in ("activations", "weights"):
            coded = golden.quantize(
                matrix, role, format=encoding.format, scale_rule=encoding.scale_rule
            )
            digest.update(coded.dequantize().tobytes())
        return digest.hexdigest()

    def _references(self) -> list[torch.Tensor]:
        if not self._reference:

            def one(index: int) -> torch.Tensor:
                return self._log_probabilities(index, self.float)[0]

            self._reference = list(self._map(one, len(self._sequences)))
        return self._reference

    def _log_probabilities(self, index: int, linears: Linears) -> tuple[torch.Tensor, torch.Tensor]:
        sequence = self._sequences[index]
        with torch.inference_mode():
            logits = self.decoder.logits(sequence[:-1], linears)
            return metrics.log_probabilities(logits), sequence[1:]

    def _quantized(self, encoding: Encoding) -> dict[str, torch.Tensor]:
        """Quantize the weights, once for all modes of an encoding."""
        if self._encoded is None or self._encoded[0] != encoding:
            self._encoded = None  # frees the other encoding's weights first
            coded = quantize_weights(self.weights, self.names, encoding)
            self._encoded = encoding, coded
        return self._encoded[1]

    def _map(self, function: Callable, count: int) -> Iterator:
        with ThreadPoolExecutor(processors()) as pool:
            for result in pool.map(function, range(count)):
                self._advance()
                yield result
