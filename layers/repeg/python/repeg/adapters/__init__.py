"""The adapters: the only modules that speak to the world."""
