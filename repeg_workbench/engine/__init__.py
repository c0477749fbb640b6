"""Runs the deployed stack in one process and in virtual time."""
