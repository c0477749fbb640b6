"""What is measured, and printed by make bench."""
