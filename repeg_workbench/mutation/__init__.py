"""Mutation of the modules that decide on money: small faults made by rule, and what detects each of them."""
