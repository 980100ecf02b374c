"""A Llama-style decoder in plain PyTorch float32, whose linear layers can be replaced."""

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from .weights import Shape

#: What computes linear layers: (names, input (tokens, K)) -> an output (tokens, N) for each name.
#: Layers that share their input are asked for together, so that it is quantized once.
Linears = Callable[[Sequence[str], torch.Tensor], list[torch.Tensor]]

#: Linear layers of a decoder block, in the order they are computed.
LAYERS = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


def layer_names(shape: Shape) -> list[str]:
    """Return the names of all linear layers of the decoder blocks."""
    return [f"blk.{block}.{layer}" for block in range(shape.blocks) for layer in LAYERS]


class FloatLinears:
    """The linear layers as they are: ``x @ W^T`` in float32."""

    def __init__(self, weights: dict[str, torch.Tensor]):
        self.weights = weights

    def __call__(self, names: Sequence[str], x: torch.Tensor) -> list[torch.Tensor]:
        """Compute the layers of these names."""
        return [functional.linear(x, self.weights[name]) for name in names]


class Decoder:
    """A decoder-only transformer: RMSNorm, rotary positions, grouped queries, SwiGLU.

    Embeddings, norms, attention and the output head, which shares the embedding matrix, are
    always float32.

    Parameters
    ----------
    shape : Shape
        Sizes.
    weights : dict of str to float32 tensor
        As `load_weights` returns them.
    """

    def __init__(self, shape: Shape, weights: dict[str, torch.Tensor]):
        self.shape = shape
        self.weights = weights

    def logits(self, tokens: torch.Tensor, linears: Linears) -> torch.Tensor:
        """Return float32 logits (tokens, vocabulary) of one sequence of token numbers."""
        x = self.weights["token_embd"][tokens]
        for block in range(self.shape.blocks):
            x = self.block(block, x, linears)
        return functional.linear(self._norm("output_norm", x), self.weights["token_embd"])

    def block(self, block: int, x: torch.Tensor, linears: Linears) -> torch.Tensor:
        """Return the residual stream (tokens, width) after one decoder block."""
        prefix = f"blk.{block}."

        def project(layers: str, x: torch.Tensor) -> list[torch.Tensor]:
            return linears([prefix + layer for layer in layers.split()], x)

        q, k, v = project("attn_q attn_k attn_v", self._norm(f"{prefix}attn_norm", x))
        x = x + project("attn_output", self._attention(q, k, v))[0]
        gate, up = project("ffn_gate ffn_up", self._norm(f"{prefix}ffn_norm", x))
        return x + project("ffn_down", functional.silu(gate) * up)[0]

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        mean_square = x.square().mean(-1, keepdim=True)
        return x * torch.rsqrt(mean_square + self.shape.epsilon) * self.weights[name]

    def _attention(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        q, k, v = (self._split(x) for x in (q, k, v))
        shared = self.shape.heads // self.shape.key_heads
        k, v = self._rotate(k), v
        k, v = (x.repeat_interleave(shared, dim=0) for x in (k, v))
        # A leading batch axis of one: the fused kernel wants four axes.
        mixed = functional.scaled_dot_product_attention(
            self._rotate(q)[None], k[None], v[None], is_causal=True
        )
        return mixed[0].transpose(0, 1).flatten(1)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """Split (tokens, heads * size) into (heads, tokens, size)."""
        return x.unflatten(1, (-1, self.shape.head_size)).transpose(0, 1)

    def _rotate(self, x: torch.Tensor) -> torch.Tensor:
        """Rotate (heads, tokens, size) by position.

        GGUF stores the rows of Q and K in such an order that neighbours 2i and 2i + 1 rotate
        together, not i and i + size / 2 as in the original weights.
        """
        size = self.shape.head_size
        frequencies = self.shape.rope_base ** (
            -torch.arange(0, size, 2, dtype=torch.float32) / size
        )
        angles = torch.arange(x.shape[1], dtype=torch.float32)[:, None] * frequencies
        cos, sin = angles.cos(), angles.sin()
        even, odd = x[..., 0::2], x[..., 1::2]
        return torch.stack((even * cos - odd * sin, odd * cos + even * sin), -1).flatten(-2)
