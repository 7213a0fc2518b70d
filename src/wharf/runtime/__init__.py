"""The OCI runtime: a config.json in, a process in its namespaces out."""
