"""Every way Wharf talks to Linux: thin typed calls that raise OSError."""
