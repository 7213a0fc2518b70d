"""What this build calls itself, and the Engine API versions it speaks."""

__version__ = "0.1.0"

API_VERSION = "1.55"
"""Newest Engine API version served; answers are shaped by the version asked for."""

MIN_API_VERSION = "1.40"
"""Oldest Engine API version served (that of Docker 19.03)."""
