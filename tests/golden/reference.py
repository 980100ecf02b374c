"""A slow, independent model of spec sections 1 to 7 in exact rationals, for small cases.

It shares no code and no table with the package: values come from ml_dtypes, decisions from
`fractions.Fraction`.
"""

from fractions import Fraction

import ml_dtypes
import numpy as np


def _grid(dtype, count):
    return [Fraction(float(v)) for v in np.arange(count, dtype=np.uint8).view(dtype).astype(float)]


E2M1 = _grid(ml_dtypes.float4_e2m1fn, 8)
E2M3 = _grid(ml_dtypes.float6_e2m3fn, 32)


def exact(values):
    """Return the exact rationals of a float array."""
    return [Fraction(float(v)) for v in np.asarray(values).astype(np.float64)]


def rne(value, grid):
    """Return the code nearest to a rational magnitude, ties to even, saturating."""
    if value >= grid[-1]:
        return len(grid) - 1
    upper = next(code for code, point in enumerate(grid) if point > value)
    low, high = value - grid[upper - 1], grid[upper] - value
    if low == high:
        return upper if upper % 2 == 0 else upper - 1
    return upper - 1 if low < high else upper


def floor_log2(value):
    """Return floor(log2(value)) of a positive rational."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    return exponent if Fraction(2) ** exponent <= value else exponent - 1


def scale_exponent(amax, rule="floor"):
    """Return E of spec section 4, clamped; searched upwards from below, never a logarithm."""
    start = floor_log2(amax) - 6
    if rule == "floor":
        exponent = floor_log2(amax) - 2
    elif rule == "ceil":
        exponent = next(n for n in range(start, start + 12) if 6 * Fraction(2) ** n >= amax)
    else:
        peak = 36 if rule == "rtn1" else 16
        exponent = next(
            n for n in range(start, start + 12) if amax**2 < peak * Fraction(2) ** (2 * n + 1)
        )
    return min(max(exponent, -127), 127)


def activation_group(x, rule="floor"):
    """Encode 32 values: (scale code, element codes, four metadata fields)."""
    magnitudes = [abs(v) for v in exact(x)]
    signs = [8 * int(s) for s in np.signbit(np.asarray(x))]
    amax = max(magnitudes)
    exponent = scale_exponent(amax, rule) if amax else -127
    step = Fraction(2) ** exponent
    codes = [rne(m / step, E2M1) for m in magnitudes]
    metadata = []
    for start in range(0, 32, 8):
        top = max(range(start, start + 8), key=lambda i: (codes[i], -i))
        c6 = rne(magnitudes[top] / step, E2M3)
        metadata.append(min(max(c6 + 1, 4 * codes[top]), 4 * codes[top] + 3) & 3)
    return exponent + 127, [c | s for c, s in zip(codes, signs, strict=True)], metadata


def mxfp4_group(x, rule="floor"):
    """Encode 32 values: (scale code, element codes)."""
    scale, codes, _ = activation_group(x, rule)
    return scale, codes


def _tree(terms):
    while len(terms) > 1:
        terms = [a + b for a, b in zip(terms[0::2], terms[1::2], strict=True)]
    return terms[0]


def weight_group(w, rule="floor", adaptive=True):
    """Encode 32 values: (scale code, element codes, four metadata fields)."""
    magnitudes = [abs(v) for v in exact(w)]
    signs = [8 * int(s) for s in np.signbit(np.asarray(w))]
    amax = max(magnitudes)
    base = scale_exponent(amax, rule) if amax else -127
    best = None
    for b in (-1, 0, 1) if adaptive else (0,):
        exponent = min(max(base + b, -127), 127)
        codes, fields, errors = [], [], []
        for start in range(0, 32, 8):
            sub = magnitudes[start : start + 8]
            k, error, chosen = _best_multiplier(sub, exponent)
            codes += chosen
            fields.append(k)
            errors.append(error)
        total = _tree(errors)
        if best is None or total < best[0]:
            best = (total, exponent + 127, codes, fields)
    _, scale, codes, fields = best
    return scale, [c | s for c, s in zip(codes, signs, strict=True)], fields


def _best_multiplier(sub, exponent):
    best = None
    for k in range(4):
        step = Fraction(2) ** exponent * (4 + k) / 4
        codes = [rne(m / step, E2M1) for m in sub]
        # The errors are the only float64 in the format: one rounding a difference and a square.
        differences = [float(step * E2M1[c] - m) for c, m in zip(codes, sub, strict=True)]
        error = _tree([d * d for d in differences])
        if best is None or error < best[1]:
            best = (k, error, codes)
    return best


def decode_activation(scale, codes, fields):
    """Decode one group to rationals (a zero has no sign)."""
    values = []
    for sub, meta in enumerate(fields):
        lanes = codes[8 * sub : 8 * sub + 8]
        top = max(range(8), key=lambda i: (lanes[i] & 7, -i))
        for i, code in enumerate(lanes):
            magnitude = E2M1[code & 7]
            if i == top:
                magnitude = E2M3[max(4 * (code & 7) + meta - 1, 0)]
            values.append(-magnitude if code & 8 else magnitude)
    return [v * Fraction(2) ** (scale - 127) for v in values]


def decode_weight(scale, codes, fields):
    """Decode one group to rationals (a zero has no sign)."""
    values = [-E2M1[c & 7] if c & 8 else E2M1[c & 7] for c in codes]
    step = Fraction(2) ** (scale - 127)
    return [v * step * (4 + fields[i // 8]) / 4 for i, v in enumerate(values)]


def round_fp32(value):
    """Round a rational to binary32, nearest even; a float for an overflow."""
    if value == 0:
        return Fraction(0)
    exponent = max(floor_log2(abs(value)), -126) - 23
    scaled = value / Fraction(2) ** exponent
    rounded = round(scaled) * Fraction(2) ** exponent  # Python rounds half to even
    if abs(rounded) >= Fraction(2) ** 128:
        return float("inf") if value > 0 else float("-inf")
    return rounded
