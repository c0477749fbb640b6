"""Replays of strategies on recorded and generated days."""
