"""The account and its orders: checks, books, the trading floor, what happens to an order."""
