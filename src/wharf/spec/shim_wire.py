"""What engine and shim agree on besides :mod:`wharf.spec.shim_messages`: apart, for that loads ``typing``."""

from __future__ import annotations

BEGUN = b"begun"
"""What a shim writes into its lock, before anything else."""

MAX_MESSAGE_BYTES = 192 * 1024
"""Longest datagram; longer documents go as descriptors."""
