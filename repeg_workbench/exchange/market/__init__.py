"""Sources of market data: scripted, recorded and generated days."""
