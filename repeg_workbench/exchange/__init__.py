"""A simulated Alpaca that unmodified clients can trade with."""
