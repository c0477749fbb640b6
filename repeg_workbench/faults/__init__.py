"""Thousands of seeded days under faults, checked against the broker's ledger alone."""
