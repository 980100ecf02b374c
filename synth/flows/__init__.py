"""Synthesis flows, one a target: each turns a component into figures that hide nothing."""
