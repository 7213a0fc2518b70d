"""``wharf build``: what is sent to the engine, and what it says."""
