"""Procedures: read the broker and the store, ask the domain, act, write."""
