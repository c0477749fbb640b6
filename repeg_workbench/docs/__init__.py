"""Pages generated from the code, so that they cannot become outdated."""
