"""Matching: one book per symbol, four fill models, and the book as a feed shows it."""
