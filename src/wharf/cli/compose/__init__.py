"""`wharf compose`: one file a command; ``project`` loads what the flags before the command mean."""
