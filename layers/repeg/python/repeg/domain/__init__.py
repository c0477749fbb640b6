"""Decisions: pure functions and the values they take; imports only itself."""
