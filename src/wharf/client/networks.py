"""Networks over the API."""

from __future__ import annotations

from wharf.client.client import quote
from wharf.client.containers import filters_text
from wharf.client.documents import as_document, as_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.client import Client
    from wharf.client.containers import Filters
    from wharf.client.documents import Document


class Networks:
    """The networks of one engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list(self, filters: Filters | None = None) -> list[Document]:
        """Return the networks."""
        return as_documents(self._client.call("GET", "/networks", query={"filters": filters_text(filters)}))

    def inspect(self, name: str, *, verbose: bool = False) -> Document:
        """Return the whole record of one network."""
        return as_document(self._client.call("GET", f"/networks/{quote(name)}", query={"verbose": verbose or None}))
