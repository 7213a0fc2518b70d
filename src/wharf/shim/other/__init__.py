"""Containers by another OCI runtime than our own: runc, crun and others that speak runc's command line."""
