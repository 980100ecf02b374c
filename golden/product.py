"""Matrix products of quantized tensors, bit for bit as spec section 7 has them."""

import numpy as np

from .errors import InputError, InputTypeError

#: Every NaN result.
QUIET_NAN = np.uint32(0x7FC00000)


def accumulate(a, w, c=None):
    """Multiply C = A * W^T and return the raw FP32 accumulators, before any tensor scale.

    For the formats with E8M0 scales this is `matmul`. It is what the gateware's columns hold.

    Parameters
    ----------
    a : Quantized
        Activations of shape (M, K).
    w : Quantized
        Weights of shape (N, K), of the same format.
    c : float32 array of shape (M, N), optional
        Accumulators to start from, instead of +0.

    Returns
    -------
    float32 array of shape (M, N)
        Groups enter in increasing order: term = RNE_fp32(S * scale product), with the exact
        integer sum S of the group's products, then acc = RNE_fp32(acc + term). Every NaN is
        0x7FC00000.
    """
    check_operands(a, w)
    shape = (a.shape[0], w.shape[0])
    acc = np.zeros(shape, np.float32) if c is None else initial_accumulators(c, shape)
    with np.errstate(over="ignore", invalid="ignore"):
        for (left, left_scale), (right, right_scale) in zip(_groups(a), _groups(w), strict=True):
            # |S| < 2**24, so the float32 product is exact, in whatever order it is summed.
            exact = np.add(left @ right.T, 0.0, dtype=np.float64)  # a zero sum becomes +0
            exact *= left_scale[:, None]
            exact *= right_scale
            acc += exact.astype(np.float32)  # both roundings are to nearest even
    return canonical_nan(acc)


def _groups(quantized):
    """Return (integers (rows, group), factors (rows,)) of every group along K."""
    operand = quantized.operand()
    # Group by group in memory: strided rows make the BLAS several times slower.
    integers = np.ascontiguousarray(operand.integers.transpose(1, 0, 2))
    return list(zip(integers, operand.factors().T.copy(), strict=True))


def matmul(a, w, c=None):
    """Multiply C = A * W^T, plus C0 when given, in FP32 (spec section 7).

    Parameters and errors are those of `accumulate`. For a format with a tensor scale (NVFP4) the
    accumulators start from +0 and an epilogue follows: with alpha = RNE_fp32(ts_a * ts_w), the
    result is RNE_fp32(acc * alpha), and with `c` RNE_fp32(c + that).

    Returns
    -------
    float32 array of shape (M, N)
        Every NaN is 0x7FC00000.
    """
    check_operands(a, w)
    if a.tensor_scale is None:
        return accumulate(a, w, c)
    acc = accumulate(a, w)
    with np.errstate(all="ignore"):
        result = acc * (np.float32(a.tensor_scale) * np.float32(w.tensor_scale))
        if c is not None:
            result = initial_accumulators(c, acc.shape) + result
    return canonical_nan(result)


def accumulate_term(partial, significand, exponent, nan):
    """Add one group's term to partial sums, both rounded to FP32 (spec section 7).

    Parameters
    ----------
    partial : float32 array
        Partial sums.
    significand, exponent : integer arrays
        The terms, exact: at most 53 significant bits.
    nan : bool array
        Where a term is NaN.

    Returns
    -------
    float32 array
        Every NaN is 0x7FC00000.
    """
    exact = np.ldexp(np.asarray(significand, np.float64), exponent)
    with np.errstate(over="ignore", invalid="ignore"):
        term = np.where(nan, np.nan, exact).astype(np.float32)
        return canonical_nan(partial + term)


def check_operands(a, w):
    """Raise `InputError` unless `a` and `w` can be multiplied."""
    for name, operand, role in (("Left", a, "activations"), ("Right", w, "weights")):
        if operand.role != role:
            raise InputError(f"{name} operand must be {role}, not {operand.role}")
        if len(operand.shape) != 2:
            raise InputError(f"{name} operand must have two axes, not shape {operand.shape}")
    if a.format != w.format:
        raise InputError(f"Formats must agree, not {a.format} activations and {w.format} weights")
    if a.shape[1] != w.shape[1]:
        raise InputError(
            f"K must agree, not {a.shape[1]} in the activations and {w.shape[1]} in the weights"
        )


def initial_accumulators(c, shape):
    """Return a float32 copy of the given accumulators, or raise `InputError`."""
    c = np.asarray(c)
    if c.dtype != np.float32:
        raise InputTypeError(f"Initial accumulators must be float32, not {c.dtype.name}")
    if c.shape != shape:
        raise InputError(f"Initial accumulators must have shape {shape}, not {c.shape}")
    return c.copy()


def canonical_nan(values):
    """Replace every NaN by the quiet NaN 0x7FC00000, in place."""
    values.view(np.uint32)[np.isnan(values)] = QUIET_NAN
    return values
