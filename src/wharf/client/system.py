"""The engine itself, over the API."""

from __future__ import annotations

from wharf.client.documents import as_document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wharf.client.client import Client
    from wharf.client.documents import Document


class System:
    """One engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def version(self) -> Document:
        """Return what it is and which versions it speaks."""
        return as_document(self._client.call("GET", "/version"))

    def info(self) -> Document:
        """Return its state and the machine's."""
        return as_document(self._client.call("GET", "/info"))

    def disk_usage(self, *, verbose: bool = False) -> Document:
        """Return what its objects take on disk, in bytes; every object of them when ``verbose``."""
        return as_document(self._client.call("GET", "/system/df", query={"verbose": verbose or None}))

    def check(self, *, quick: bool = False, repair: bool = False) -> Iterator[object]:
        """Yield what is wrong with what is stored, a document each; the last one counts them."""
        query = {"quick": quick or None, "repair": repair or None}
        return self._client.request("POST", "/wharf/system/check", query=query).json_lines()

    def login(self, credentials: Document) -> Document:
        """Ask a registry, through the engine, whether these credentials (an AuthConfig) are right.

        Raises:
            Unauthorized: they are not.
        """
        return as_document(self._client.call("POST", "/auth", doc=credentials))

    def events(
        self, *, since: str = "", until: str = "", filters: Mapping[str, list[str]] | None = None
    ) -> Iterator[object]:
        """Yield what happens, from ``since`` to ``until`` (Unix time, seconds, maybe with a fraction)."""
        from wharf.client.containers import filters_text  # noqa: PLC0415  # `wharf version` does not need it

        query = {"since": since, "until": until, "filters": filters_text(filters)}
        return self._client.request("GET", "/events", query=query).json_lines()
