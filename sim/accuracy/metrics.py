"""What one sequence of tokens says about a model: likelihood, and distance to another model."""

import torch


def log_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Return the natural logarithm of the probabilities, the vocabulary on the last axis."""
    return torch.log_softmax(logits, -1)


def log_likelihood(log_p: torch.Tensor, targets: torch.Tensor) -> float:
    """Return the mean log-likelihood of the targets (tokens,) in nats a token.

    Parameters
    ----------
    log_p : float32 tensor of shape (tokens, vocabulary)
        Log-probabilities.
    targets : int64 tensor of shape (tokens,)
        What came next.
    """
    return log_p.gather(1, targets[:, None]).double().mean().item()


def divergence(reference: torch.Tensor, log_p: torch.Tensor) -> float:
    """Return the mean Kullback-Leibler divergence KL(reference || p) in nats a token."""
    difference = (reference - log_p).mul_(reference.exp())
    return difference.sum(-1, dtype=torch.float64).mean().item()


def agreement(reference: torch.Tensor, log_p: torch.Tensor) -> float:
    """Return the share of positions at which both models' likeliest token is the same."""
    return (reference.argmax(-1) == log_p.argmax(-1)).double().mean().item()
