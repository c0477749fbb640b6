"""Measures a market, recorded or generated: what its touch predicts, and what simple execution rules cost on it."""
