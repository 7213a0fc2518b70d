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

    def create(self, document: Document) -> Document:
        """Make a network; return its ``Id`` and a ``Warning``."""
        return as_document(self._client.call("POST", "/networks/create", doc=document))

    def remove(self, name: str) -> None:
        """Remove a network."""
        self._client.call("DELETE", f"/networks/{quote(name)}")

    def prune(self, filters: Filters | None = None) -> Document:
        """Remove unused networks; return ``NetworksDeleted``."""
        return as_document(self._client.call("POST", "/networks/prune", query={"filters": filters_text(filters)}))

    def connect(self, name: str, container: str, settings: Document) -> None:
        """Join a container to a network; ``settings`` is an EndpointSettings."""
        body = {"Container": container, "EndpointConfig": settings}
        self._client.call("POST", f"/networks/{quote(name)}/connect", doc=body)

    def disconnect(self, name: str, container: str, *, force: bool = False) -> None:
        """Take a container out of a network."""
        body = {"Container": container, "Force": force}
        self._client.call("POST", f"/networks/{quote(name)}/disconnect", doc=body)

    def inspect(self, name: str, *, verbose: bool = False) -> Document:
        """Return the whole record of one network."""
        return as_document(self._client.call("GET", f"/networks/{quote(name)}", query={"verbose": verbose or None}))
