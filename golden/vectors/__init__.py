"""Test vectors for hardware: inputs of every class, with the golden model's answers."""
