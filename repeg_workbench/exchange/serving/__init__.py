"""Serves an exchange over a socket or inside a process."""
