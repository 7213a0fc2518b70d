"""Plugins that the engine itself installs and runs (docker docs, "Docker Engine managed plugin system")."""
