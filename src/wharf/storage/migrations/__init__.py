"""The database's schema as numbered SQL files, applied in order; none is ever edited once released."""
