"""`repeg simulate`: one trading day through the deployed stack, as a tape and a summary."""
