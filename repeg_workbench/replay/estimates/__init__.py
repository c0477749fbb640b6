"""Measures the table of expected costs on tuning days, and how often its bounds hold on others."""
