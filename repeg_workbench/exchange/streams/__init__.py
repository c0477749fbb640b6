"""The two streams: market data and trade updates."""
