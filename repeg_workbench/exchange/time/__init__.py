"""Clocks, calendar, trading hours, timers and time stamps of the simulated exchange."""
