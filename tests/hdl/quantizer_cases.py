"""Groups of values aimed at the decisions of the quantization engine."""

import ml_dtypes
import numpy as np

from .operands import E2M1_HALVES, E2M3_EIGHTHS

#: Midpoints of both element grids and the grid points themselves, in units of 2^E.
_SIXTEENTHS = np.concatenate(
    [
        E2M3_EIGHTHS[1:] + E2M3_EIGHTHS[:-1],
        4 * (E2M1_HALVES[1:] + E2M1_HALVES[:-1]),
        2 * E2M3_EIGHTHS,
    ]
)
DECISIONS = np.unique(_SIXTEENTHS) / 16


def spread(values, leaders, rng):
    """Place values in groups of 32 in random lanes, each group with one of its leaders.

    Half of the groups are full of values; in the other half each value is alone in its
    subgroup, so that it is the top-1.
    """
    values, leaders = np.asarray(values), np.asarray(leaders)
    dense = np.resize(values, (-(-len(values) // 31), 31))
    sparse = np.zeros((-(-len(values) // 3), 4, 8), values.dtype)
    sparse[:, :3, 0] = np.resize(values, (len(sparse), 3))
    sparse = rng.permuted(sparse, axis=2).reshape(-1, 32)
    # The last subgroup of a sparse group is the leader's.
    sparse[:, 24:] = 0
    groups = np.concatenate([np.concatenate([dense, dense[:, :1]], axis=1), sparse])
    groups[:, 31] = np.resize(leaders, len(groups))
    dense_groups, sparse_groups = groups[: len(dense)], groups[len(dense) :]
    # Whole subgroups change places in sparse groups, lanes anywhere in dense ones.
    order = rng.permuted(np.tile(np.arange(4), (len(sparse_groups), 1)), axis=1)
    moved = np.take_along_axis(sparse_groups.reshape(-1, 4, 8), order[:, :, None], axis=1)
    return np.concatenate([rng.permuted(dense_groups, axis=1), moved.reshape(-1, 32)])


def against_scales(kind, fraction_bits, seed=0):
    """Every value of a 16-bit type beside every largest exponent that its group can have."""
    rng = np.random.default_rng(seed)
    bits = np.arange(1 << 16).astype(np.uint16)
    exponents = (bits & 0x7FFF) >> fraction_bits
    special = exponents.max()
    chunks = []
    for largest in range(special):
        # Farther below, a value is a zero whatever its bits; a sample of those will do.
        below = bits[exponents <= largest]
        near = below[exponents[below] + 10 >= largest]
        far = rng.choice(below, 300)
        leaders = (largest << fraction_bits) | rng.integers(0, 1 << fraction_bits, 64)
        values = np.concatenate([near, far])
        chunks.append(spread(values, leaders.astype(np.uint16), rng))
    specials = rng.choice(bits, (200, 32))
    specials[np.arange(200), rng.integers(0, 32, 200)] = bits[exponents == special][:200]
    return np.concatenate([*chunks, specials]).view(kind)


def bf16_values():
    """Every BF16 value beside every scale."""
    return against_scales(ml_dtypes.bfloat16, 7)


def fp16_values():
    """Every FP16 value beside every exponent, and every all-subnormal group maximum."""
    rng = np.random.default_rng(16)
    leaders = np.arange(1, 1 << 10).astype(np.uint16)
    subnormal = rng.integers(0, leaders[:, None] + 1, (len(leaders), 32)).astype(np.uint16)
    subnormal[:, 7] = leaders
    subnormal |= rng.integers(0, 2, subnormal.shape).astype(np.uint16) << 15
    return np.concatenate([against_scales(np.float16, 10), subnormal.view(np.float16)])


def neighbours(x):
    """Return float32 magnitudes with those one unit in the last place below and above."""
    bits = np.asarray(x, np.float32).view(np.int32)
    return np.concatenate([np.maximum(bits - 1, 0), bits, bits + 1]).view(np.float32)


def fp32_decisions(exponents=range(-127, 126), seed=32):
    """Ties and their neighbours under scales 2^E, with leaders of every kind."""
    rng = np.random.default_rng(seed)
    chunks = []
    for exponent in exponents:
        values = neighbours(np.ldexp(DECISIONS[DECISIONS < 8], exponent))
        values = np.concatenate([values, -values])
        leaders = np.ldexp(np.array([4, 4.25, 5, 5.000001, 6.5, 7.9]), exponent)
        chunks.append(spread(values, leaders.astype(np.float32), rng))
    return np.concatenate(chunks)


def fp32_maxima(seed=2):
    """Group maxima one unit around every power of two, over random smaller values."""
    rng = np.random.default_rng(seed)
    maxima = neighbours(np.ldexp(1.0, np.arange(-149, 128)))
    maxima = maxima[np.isfinite(maxima)]
    ratios = rng.uniform(-1, 1, (len(maxima), 32)) * np.exp2(-rng.integers(0, 7, (1, 32)))
    groups = (ratios * maxima[:, None]).astype(np.float32)
    groups[np.arange(len(maxima)), rng.integers(0, 32, len(maxima))] = maxima
    return groups


def heavy_tails(count, seed=4):
    """Heavy-tailed groups over the whole range, with zero, subnormal, tied and special ones."""
    rng = np.random.default_rng(seed)
    x = rng.standard_t(1.5, (count, 32)) * np.exp2(rng.integers(-145, 110, (count, 1)))
    with np.errstate(over="ignore"):
        x = x.astype(np.float32)
    x[::11] = 0
    x[::13] *= np.float32(0)
    x[::17] = x[::17, :1]
    x[5::19] = np.ldexp(rng.integers(-8, 9, x[5::19].shape), -128).astype(np.float32)
    where = np.arange(count)[::23], rng.integers(0, 32, len(x[::23]))
    x[where] = rng.choice(np.array([np.nan, -np.nan, np.inf, -np.inf], np.float32), len(x[::23]))
    return x


def crossed_subgroups(seed=5):
    """Subgroups with equal codes of different values: which one is the top-1 matters."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(3.5, 5, (400, 32)) * rng.choice([-1, 1], (400, 32))
    x[:, 8:16] = rng.uniform(0, 0.3, (400, 8))
    return x.astype(np.float32)
