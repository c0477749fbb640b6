"""Faults at the transport, between a client and the exchange."""
