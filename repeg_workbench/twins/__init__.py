"""Stand-ins for the ports that need no socket and no table, held to the same contract tests as the adapters."""
