"""The control plane: arms faults and races, moves the clock, reads the ledger."""
