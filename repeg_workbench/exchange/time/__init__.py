"""Clocks, calendar, trading hours, timers and timestamps of the simulated exchange."""
