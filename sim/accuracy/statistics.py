"""Means over sequences with standard errors, and how much smaller one loss is than another."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Estimate:
    """A number and its standard error.

    Attributes
    ----------
    value : float
        Best estimate.
    error : float
        Standard error, NaN when there is only one sequence.
    """

    value: float
    error: float


def mean(values: np.ndarray) -> Estimate:
    """Estimate the mean of independent values (n,)."""
    values = np.asarray(values, np.float64)
    error = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
    return Estimate(float(values.mean()), float(error))


def difference(ours: np.ndarray, other: np.ndarray) -> Estimate:
    """Estimate mean(ours - other), both (n,) over the same sequences; the error is of the pairs."""
    return mean(np.asarray(ours, np.float64) - np.asarray(other, np.float64))


def reduction(ours: np.ndarray, other: np.ndarray) -> Estimate:
    """Estimate 1 - mean(ours) / mean(other), both (n,) over the same sequences.

    The standard error is the jackknife's, which keeps the pairing of the sequences.
    """
    ours, other = np.asarray(ours, np.float64), np.asarray(other, np.float64)
    value = 1 - ours.sum() / other.sum()
    count = len(ours)
    if count < 2:
        return Estimate(float(value), float("nan"))
    without = 1 - (ours.sum() - ours) / (other.sum() - other)
    error = np.sqrt((count - 1) * np.mean((without - without.mean()) ** 2))
    return Estimate(float(value), float(error))


def decibels(signal: float, noise: float) -> float:
    """Return a ratio of powers in dB, infinity without noise."""
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(np.divide(signal, noise)))
