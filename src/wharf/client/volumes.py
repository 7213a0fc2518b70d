"""Volumes over the API."""

from __future__ import annotations

from wharf.client.client import quote
from wharf.client.containers import filters_text
from wharf.client.documents import as_document, as_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.client import Client
    from wharf.client.containers import Filters
    from wharf.client.documents import Document


class Volumes:
    """The volumes of one engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, document: Document) -> Document:
        """Create a volume; one of the same name and driver is returned as it is."""
        return as_document(self._client.call("POST", "/volumes/create", doc=document))

    def list(self, filters: Filters | None = None) -> list[Document]:
        """Return the volumes."""
        answer = as_document(self._client.call("GET", "/volumes", query={"filters": filters_text(filters)}))
        return as_documents(answer.get("Volumes"))

    def inspect(self, name: str) -> Document:
        """Return one volume's record."""
        return as_document(self._client.call("GET", f"/volumes/{quote(name)}"))

    def remove(self, name: str, *, force: bool = False) -> None:
        """Remove it; with ``force`` one that does not exist is no error."""
        self._client.request("DELETE", f"/volumes/{quote(name)}", query={"force": force or None}).read()

    def prune(self, filters: Filters | None = None) -> Document:
        """Remove what no container uses; return VolumesDeleted and SpaceReclaimed (bytes)."""
        return as_document(self._client.call("POST", "/volumes/prune", query={"filters": filters_text(filters)}))
