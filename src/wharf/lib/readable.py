"""Names whose bytes need not be UTF-8, as people and documents can be told of them. Pure."""

from __future__ import annotations


def readable(name: str) -> str:
    r"""Return a name without surrogates (PEP 383): each byte that is no UTF-8 is shown as ``\xNN``."""
    if name.isascii():
        return name
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
