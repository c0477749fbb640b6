"""Previews a plan: what would be traded, why, and at what cost, decided by the code of the run."""
