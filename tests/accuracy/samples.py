"""Made-up results, to test what is said about results."""

import numpy as np

from sim.accuracy.configuration import Encoding, Mode
from sim.accuracy.results import Results

LAYERS = ("attn_q", "ffn_down")


def sample(loss_of, encodings=None, noise=0.01, gateware=None):
    """Make results whose KL is ``loss_of(encoding, mode)``, with some noise over 16 sequences."""
    rng = np.random.default_rng(1)
    encodings = encodings or [
        Encoding("m2xfp", "floor"),
        Encoding("mxfp4", "floor"),
        Encoding("mxfp4", "ceil"),
        Encoding("nvfp4", "floor"),
    ]
    results = Results(4096, "ab" * 32, 2048, "cd" * 32, baseline={"log_likelihood": [-2.5] * 16})
    for encoding in encodings:
        for mode in Mode:
            kl = loss_of(encoding, mode) * (1 + noise * rng.standard_normal(16))
            results.decoder[encoding, mode] = {
                "log_likelihood": (-2.5 - kl).tolist(),
                "kl": kl.tolist(),
                "agreement": [0.75] * 16,
            }
            results.embedding[encoding, mode] = {"distance": (kl / 20).tolist()}
        results.layers[encoding] = {
            f"blk.{block}.{layer}": {"weights": 22.0, "activations": 20.0, "output": 18.0 + block}
            for block in range(3)
            for layer in LAYERS
        }
    results.gateware = gateware
    return results
