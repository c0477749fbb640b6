"""The control plane: arms faults and races, moves the clock, shows the truth."""
