"""M2XFP-SG through the quantization engine: golden's bits, which brute force has checked."""

import numpy as np
import pytest

from sim import engines, quantize

from . import quantizer_cases as cases
from .operands import E2M1_HALVES

ENCODINGS = [
    (format, role)
    for format in ("m2xfp_sg", "m2xfp_sg_spare")
    for role in ("activations", "weights")
]
every = pytest.mark.parametrize(("format", "role"), ENCODINGS)

#: Transcribed from docs/m2xfp_sg.md: E2M1 midpoints and those of the spare codes, multipliers.
MIDPOINTS = np.array([*(E2M1_HALVES[1:] + E2M1_HALVES[:-1]) / 4, 4.5, 5.5, 6.5])
MULTIPLIERS = np.array([1, 5 / 4, 3 / 4, 1 / 4, 7 / 8, 6 / 8, 5 / 8])


def check(x, format, role, engine="fast", lanes=8, **options):
    run = quantize.run(x, engines.get(engine), format=format, role=role, lanes=lanes, **options)
    first = run.mismatches[:1]
    assert not run.mismatches.size, (
        f"group {first}: {x.reshape(-1, 32)[first]}\n"
        f"got  {run.words[first]}\nwant {run.expected[first]}"
    )
    return run


def ties(count, seed=21):
    """Midpoints under every multiplier and beside them; multiples of 1/4, whose errors tie."""
    rng = np.random.default_rng(seed)
    points = np.outer(MULTIPLIERS, MIDPOINTS).ravel()
    near = cases.neighbours(points[points < 8])
    x = np.where(rng.random((count, 32)) < 0.6, rng.choice(near, (count, 32)), 0)
    coarse = rng.integers(0, 30, (count, 32)) / 4 * (rng.random((count, 32)) < 0.4)
    x = np.where(np.arange(count)[:, None] % 2, x, coarse)
    x[:, 31] = rng.choice([4, 5.25, 6, 7.5], count)
    x *= rng.choice([-1, 1], x.shape) * np.exp2(rng.integers(-127, 125, (count, 1)))
    return x.astype(np.float32)


@every
def test_every_bf16_value_beside_every_scale(format, role):
    assert len(check(cases.bf16_values(), format, role).words) > 100_000


@every
def test_fp32_ties_maxima_and_heavy_tails(format, role):
    x = np.concatenate([ties(20_000), cases.fp32_maxima(), cases.heavy_tails(10_000)])
    run = check(x, format, role)
    assert run.latency == 12
    nibbles = np.stack([run.result.elements & 15, run.result.elements >> 4])
    assert set(nibbles.ravel().tolist()) == set(range(16))
    fields = run.result.metadata.ravel()[:, None] >> np.array([0, 2, 4, 6]) & 3
    assert (np.bincount(fields.ravel(), minlength=4) > 1000).all()
    assert set(run.result.scales.ravel().tolist()) == {*range(253), 255}
    check(x[::40], format, role, stall=0.4, seed=2)


@every
def test_fp16_and_the_amaranth_simulator(format, role):
    x = np.concatenate([ties(30), cases.heavy_tails(30)])
    with np.errstate(over="ignore", under="ignore"):
        check(x.astype(np.float16), format, role, engine="amaranth", stall=0.2)
