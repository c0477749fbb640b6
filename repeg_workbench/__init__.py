"""What a person uses at the desk. Never deployed, never imported by functions or layers."""
