"""Alpaca, through alpaca-py: orders, account, market data, keys."""
