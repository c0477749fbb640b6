"""Faults at the transport: what can go wrong between a client and the exchange."""
