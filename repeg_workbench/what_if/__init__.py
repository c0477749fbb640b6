"""Makes a run's journalled decisions again under other settings, up to where an order's path would have changed."""
