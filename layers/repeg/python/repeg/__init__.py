"""repeg: works a rebalance at the top of the book, and knows when to stop."""
