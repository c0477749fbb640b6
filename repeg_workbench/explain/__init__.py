"""Explains a run's orders from its journal, and says where other settings would have changed their path."""
