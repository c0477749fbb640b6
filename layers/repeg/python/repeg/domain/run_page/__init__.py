"""What the page of a run shows, made from the run's journal."""
