"""Reads the journals that the deployed functions have stored."""
