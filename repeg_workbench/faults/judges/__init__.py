"""Two independent judges of a day: what the broker, the network and the platform saw, compared with the plan."""
