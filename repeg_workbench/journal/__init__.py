"""Journals in folders of this machine."""
