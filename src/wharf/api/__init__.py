"""HTTP to the engine and back: a table of routes, one file of handlers a noun, one place for statuses."""
