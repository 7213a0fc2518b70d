"""wharfd: wires implementations together and serves the API on sockets."""
