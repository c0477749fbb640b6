"""Pages that people open in a browser: one HTML file each, which needs no network and no other file."""
