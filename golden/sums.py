"""Sums of floats in a fixed order, so that every machine decides alike."""


def tree_sum(terms):
    """Sum rows, a power of two of them, in the fixed order ((0+1)+(2+3))+((4+5)+(6+7))."""
    while len(terms) > 1:
        terms = terms[0::2] + terms[1::2]
    return terms[0]
