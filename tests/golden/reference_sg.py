"""M2XFP-SG by brute force in exact rationals, from ``docs/m2xfp_sg.md`` alone.

Every element tries every code under every multiplier and every exponent, and errors are sums of
`fractions.Fraction`: no table, no bound and no shortcut of the package.
"""

from fractions import Fraction

import numpy as np

from .reference import E2M1, exact, scale_exponent

MULTIPLIERS = {
    "activations": [Fraction(n, 4) for n in (4, 5, 3, 1)],
    "weights": [Fraction(n, 8) for n in (8, 7, 6, 5)],
}
STEPS = {"activations": (0,), "weights": (0, -1, 1)}
SPARE = {"activations": 7, "weights": 5}


def element(value, negative, step, spare):
    """Return (nibble, magnitude) of a magnitude under a step; `spare` is None for strict."""
    code = min(range(8), key=lambda c: (abs(value - E2M1[c] * step), c % 2))
    if spare is None:
        return code + 8 * negative, E2M1[code] * step
    if not negative and abs(value - spare * step) < abs(value - E2M1[code] * step):
        return 8, spare * step
    return code + 8 * (negative and code > 0), E2M1[code] * step


def group(x, role, spare_code=False, adaptive=True, counts=None):
    """Encode 32 finite values: (scale code, element codes, four metadata fields)."""
    magnitudes = [min(abs(v), Fraction(2) ** 130) for v in exact(x)]
    negative = [bool(s) for s in np.signbit(np.asarray(x))]
    counts = [1] * 32 if counts is None else counts
    base = scale_exponent(max(magnitudes)) if any(magnitudes) else -127
    spare = SPARE[role] if spare_code else None
    best = None
    for b in STEPS[role] if adaptive else (0,):
        if not -127 <= base + b <= 127:
            continue
        total, codes, fields = Fraction(0), [], []
        for start in range(0, 32, 8):
            lanes = range(start, start + 8)
            candidates = []
            for k, multiplier in enumerate(MULTIPLIERS[role]):
                step = multiplier * Fraction(2) ** (base + b)
                chosen = [element(magnitudes[i], negative[i], step, spare) for i in lanes]
                error = sum(
                    counts[i] * (magnitude - magnitudes[i]) ** 2
                    for i, (_, magnitude) in zip(lanes, chosen, strict=True)
                )
                candidates.append((error, k, [nibble for nibble, _ in chosen]))
            error, k, nibbles = min(candidates)
            total, codes, fields = total + error, codes + nibbles, [*fields, k]
        if best is None or total < best[0]:
            best = (total, base + b + 127, codes, fields)
    return best[1:]


def decode(scale, codes, fields, role, spare_code=False):
    """Decode one group to rationals (a zero has no sign)."""
    values = []
    for i, code in enumerate(codes):
        value = -E2M1[code & 7] if code & 8 else E2M1[code]
        if spare_code and code == 8:
            value = Fraction(SPARE[role])
        values.append(value * MULTIPLIERS[role][fields[i // 8]] * Fraction(2) ** (scale - 127))
    return values
