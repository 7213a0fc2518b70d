"""Names whose bytes need not be UTF-8, as people and documents can be told of them. Pure."""

from __future__ import annotations


def readable(name: str) -> str:
    r"""Return a name without surrogates (PEP 383): each byte that is no UTF-8 is shown as ``\xNN``.

    A surrogate that stands for no byte is in no name, but may be in what a client says: it is shown as ``\uNNNN``.
    """
    if name.isascii():
        return name
    try:
        return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:
        return name.encode("utf-8", "backslashreplace").decode()
