"""Matching: one book per symbol, four fill models, and the displayed book."""
