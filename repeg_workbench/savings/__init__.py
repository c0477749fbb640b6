"""What the journals of many runs say of the cost of taking, and of what the policy saves."""
