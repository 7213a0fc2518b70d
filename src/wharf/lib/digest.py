"""Digests: ``sha256:`` and 64 hex digits (image-spec descriptor.md, "Digests")."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NewType

from wharf.errors import InvalidArgument

Digest = NewType("Digest", str)
"""A verified spelling, ``sha256:<64 lower-case hex digits>``; the only algorithm that images use."""

_PATTERN: Final = re.compile(r"sha256:[0-9a-f]{64}")


def parse_digest(text: str) -> Digest:
    """Return ``text`` as a digest.

    Raises:
        InvalidArgument: it is not one, or of another algorithm.
    """
    if not _PATTERN.fullmatch(text):
        raise InvalidArgument(f"invalid digest format: {text!r}")
    return Digest(text)


def is_digest(text: str) -> bool:
    """Return whether ``text`` is spelt as a digest."""
    return _PATTERN.fullmatch(text) is not None


def digest_of(data: bytes) -> Digest:
    """Return the digest of ``data``."""
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


def hex_of(digest: str) -> str:
    """Return the digits of a digest, without its algorithm."""
    return digest.rpartition(":")[2]


def short(digest: str) -> str:
    """Return the 12 digits by which people call an image or a container."""
    return hex_of(digest)[:12]


def chain_ids(diff_ids: list[Digest]) -> list[Digest]:
    """Return the chain id of each layer on those below it (image-spec config.md, "Layer ChainID")."""
    chain: list[Digest] = []
    for diff_id in diff_ids:
        chain.append(digest_of(f"{chain[-1]} {diff_id}".encode()) if chain else diff_id)
    return chain
