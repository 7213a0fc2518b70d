"""Addresses without who logs in with them: what logs, events and answers may tell. Pure."""

from __future__ import annotations


def without_login(address: str) -> str:
    """Return a URL with the user and the password in it blotted out, as Docker does; other text as it is."""
    scheme, separator, rest = address.rpartition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}{separator}xxxxx:xxxxx@{host}" if separator and at and user else address
