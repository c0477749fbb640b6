"""Reads the journals that the steps have stored."""
