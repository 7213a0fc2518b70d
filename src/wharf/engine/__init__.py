"""The use cases: one file a container verb."""
