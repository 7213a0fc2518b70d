"""The command line: docker's words, over the client."""
