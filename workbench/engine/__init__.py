"""Runs the deployed state machine and the real handlers in virtual time."""
