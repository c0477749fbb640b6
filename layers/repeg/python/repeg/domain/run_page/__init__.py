"""What the page of a run shows, made from the run's journal and from nothing else that could not be missing."""
