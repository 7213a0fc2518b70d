"""Narrow readers for answers: what an engine sends is not trusted to have the right shape."""

from __future__ import annotations

from wharf.client.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    Document = dict[str, object]


def as_document(value: object) -> Document:
    """Return ``value`` as a JSON object.

    Raises:
        ProtocolError: it is something else.
    """
    if not isinstance(value, dict):
        raise ProtocolError(f"the engine answered with {type(value).__name__} where an object belongs")
    return value


def as_documents(value: object) -> list[Document]:
    """Return ``value`` as a list of JSON objects; null is an empty list (Go's nil slice)."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ProtocolError(f"the engine answered with {type(value).__name__} where a list belongs")
    return [as_document(item) for item in value]


def text(document: Document, *path: str) -> str:
    """Return the text at ``path``, empty where any of it is missing or of another type."""
    value: object = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def number(document: Document, *path: str) -> int:
    """Return the integer at ``path``, 0 where any of it is missing or of another type."""
    value: object = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return int(value) if isinstance(value, (int, float)) else 0


def section(document: Document, *path: str) -> Document:
    """Return the object at ``path``, empty where any of it is missing or of another type."""
    value: object = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def texts(document: Document, *path: str) -> list[str]:
    """Return the list of texts at ``path``, empty where any of it is missing."""
    value: object = document
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return [str(item) for item in value] if isinstance(value, list) else []
