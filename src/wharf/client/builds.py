"""Building images over the API."""

from __future__ import annotations

from wharf.client.containers import filters_text
from wharf.client.documents import as_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wharf.client.client import Client, Query
    from wharf.client.containers import Filters
    from wharf.client.documents import Document


class Builds:
    """The builds of one engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def build(self, context: Iterable[bytes], query: Query, *, registries: str = "") -> Iterator[object]:
        """Build an image from a context's archive; yield progress documents.

        Args:
            context: The archive; empty with ``remote``.
            query: The parameters of ``POST /build``.
            registries: An X-Registry-Config header (see :mod:`wharf.client.credentials`).
        """
        headers = {"Content-Type": "application/x-tar"}
        if registries:
            headers["X-Registry-Config"] = registries
        return self._client.request("POST", "/build", query=query, body=context, headers=headers).json_lines()

    def prune(self, *, all_results: bool = False, keep_bytes: int = 0, filters: Filters | None = None) -> Document:
        """Remove results of earlier builds; return CachesDeleted and SpaceReclaimed (bytes)."""
        query: Query = {
            "all": all_results or None,
            "reserved-space": keep_bytes or None,
            "filters": filters_text(filters),
        }
        return as_document(self._client.call("POST", "/build/prune", query=query))
