"""A simulated Alpaca that an unmodified client trades with."""
