"""Checks against a paper account that the simulated exchange behaves as the real one, and which knobs to set if not."""
