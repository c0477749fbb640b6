"""Thousands of seeded days under faults, judged by the broker's ledger alone."""
