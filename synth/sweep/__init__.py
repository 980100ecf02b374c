"""Sweeps: many parameter points, simulated or synthesized, one JSON line each."""
