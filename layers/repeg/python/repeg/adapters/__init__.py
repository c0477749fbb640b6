"""The adapters: the only modules that use the network, AWS or the clock."""
