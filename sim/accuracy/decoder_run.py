"""The language model on a text: as float, and with quantized linear layers."""

import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from golden.quantizer import processors

from . import extra, metrics, weights
from .calibration import Calibration, Recorder, added
from .configuration import Encoding, Mode
from .layers import LayerErrors
from .model import Decoder, FloatLinears, Linears, layer_names
from .quantize import Importance, QuantizedLinears, fake_quantize, quantize_weights
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
    calibration_text : Text
        What the importance of inputs is taken from; see `sim.accuracy.calibration`.
    cache : Path
        Folder to keep that in.
    advance : callable
        Called after every sequence.
    """

    def __init__(
        self, text: Text, calibration_text: Text, cache: Path, advance: Callable[[], None]
    ):
        torch.set_num_threads(1)
        self.text = text
        self.model = extra.file_sha256(weights.path())
        self.calibration = Calibration(
            cache, self.model + calibration_text.sha256, lambda: self._capture(calibration_text)
        )
        self.weights = weights.load_weights()
        shape = weights.load_shape()
        self.decoder = Decoder(shape, self.weights)
        self.names = layer_names(shape)
        self.float = FloatLinears(self.weights)
        self._advance = advance
        self._sequences = _tensors(text)
        self._reference: list[torch.Tensor] = []
        self._encoded: tuple[Encoding, dict[str, torch.Tensor]] | None = None

    def baseline(self) -> dict:
        """Return the float model's log-likelihood of every sequence, in nats a token."""
        pairs = zip(self._references(), self._sequences, strict=True)
        return {"log_likelihood": [metrics.log_likelihood(p, s[1:]) for p, s in pairs]}

    def score(self, encoding: Encoding, mode: Mode) -> dict:
        """Return log-likelihood, divergence and agreement of every sequence."""
        return self.compare(
            QuantizedLinears(self.weights, self._quantized(encoding), encoding, mode)
        )

    def compare(self, linears: Linears) -> dict:
        """Return the same for a model with these linear layers."""
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
        importance = self._importance(encoding)
        for role in ("activations", "weights"):
            counts = importance.get(_PROBE) if role == "weights" else None
            coded = fake_quantize(self.weights[_PROBE], role, encoding, counts)
            digest.update(coded.numpy().tobytes())
        return digest.hexdigest()

    def _references(self) -> list[torch.Tensor]:
        if not self._reference:

            def one(index: int) -> torch.Tensor:
                return self._log_probabilities(index, self.float)[0]

            self._reference = list(self._map(one, len(self._sequences)))
        return self._reference

    def _importance(self, encoding: Encoding) -> Importance:
        return self.calibration() if encoding.calibrated else {}

    def _capture(self, text: Text) -> dict[str, torch.Tensor]:
        sequences = _tensors(text)

        def one(index: int) -> dict[str, torch.Tensor]:
            recorder = Recorder(self.weights)
            with torch.inference_mode():
                self.decoder.logits(sequences[index][:-1], recorder)
            return recorder.sums

        with ThreadPoolExecutor(processors()) as pool:
            return added(pool.map(one, range(len(sequences))))

    def _log_probabilities(self, index: int, linears: Linears) -> tuple[torch.Tensor, torch.Tensor]:
        sequence = self._sequences[index]
        with torch.inference_mode():
            logits = self.decoder.logits(sequence[:-1], linears)
            return metrics.log_probabilities(logits), sequence[1:]

    def _quantized(self, encoding: Encoding) -> dict[str, torch.Tensor]:
        """Quantize the weights, once for all modes of an encoding."""
        if self._encoded is None or self._encoded[0] != encoding:
            self._encoded = None  # frees the other encoding's weights first
            importance = self._importance(encoding)
            coded = quantize_weights(self.weights, self.names, encoding, importance)
            self._encoded = encoding, coded
        return self._encoded[1]

    def _map(self, function: Callable, count: int) -> Iterator:
        with ThreadPoolExecutor(processors()) as pool:
            for result in pool.map(function, range(count)):
                self._advance()
                yield result


def _tensors(text: Text) -> list[torch.Tensor]:
    return [torch.from_numpy(sequence) for sequence in text.sequences]
