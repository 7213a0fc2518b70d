"""Two daemons that are asked the same over the Engine API, and what they answer differently."""
