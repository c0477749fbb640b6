"""The commands for a deployed stack: start, watch, status, runs, report, the kill switch, keys and checks."""
