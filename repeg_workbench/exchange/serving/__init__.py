"""Serves an exchange over sockets or in process."""
