"""Variants of M2XFP-SG that were tried: small code for a comparison, never part of a format."""
