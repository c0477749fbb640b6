"""Measures every strategy by a fixed protocol and writes docs/execution-quality.md."""
