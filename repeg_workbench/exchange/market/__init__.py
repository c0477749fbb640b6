"""Markets: scripted, recorded and generated days."""
