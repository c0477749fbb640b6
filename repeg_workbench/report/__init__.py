"""`repeg report`: pages of runs that open in a browser."""
