"""Plugins over the API."""

from __future__ import annotations

from wharf.client.client import quote
from wharf.client.containers import filters_text
from wharf.client.documents import as_document, as_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wharf.client.client import Client, Query
    from wharf.client.containers import Filters
    from wharf.client.documents import Document

    # The class has a method called list, which hides the type inside it.
    Documents = list[Document]
    Texts = list[str]


class Plugins:
    """The plugins of one engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _path(self, name: str, verb: str = "") -> str:
        # A reference's slashes are part of the path; so docker's clients send them too.
        return f"/plugins/{quote(name, keep=b'/:@')}" + (f"/{verb}" if verb else "")

    def list(self, filters: Filters | None = None) -> Documents:
        """Return the plugins."""
        return as_documents(self._client.call("GET", "/plugins", query={"filters": filters_text(filters)}))

    def inspect(self, name: str) -> Document:
        """Return one plugin's record."""
        return as_document(self._client.call("GET", self._path(name, "json")))

    def privileges(self, remote: str, *, auth: str = "") -> Documents:
        """Return what the plugin that a registry has wants: ``Name``, ``Description`` and ``Value`` each."""
        query: Query = {"remote": remote}
        answer = self._client.request("GET", "/plugins/privileges", query=query, headers=_auth(auth))
        return as_documents(answer.json())

    def create(self, name: str, archive: Iterable[bytes]) -> None:
        """Make a plugin of an archive with ``config.json`` and ``rootfs/``."""
        headers = {"Content-Type": "application/x-tar"}
        self._client.request("POST", "/plugins/create", query={"name": name}, body=archive, headers=headers).read()

    def pull(self, remote: str, *, name: str, grants: Documents, auth: str = "") -> Iterator[object]:
        """Install a plugin, disabled, which gets exactly ``grants``; yield progress documents."""
        query: Query = {"remote": remote, "name": name}
        answer = self._client.request("POST", "/plugins/pull", query=query, doc=grants, headers=_auth(auth))
        return answer.json_lines()

    def upgrade(self, name: str, remote: str, *, grants: Documents, auth: str = "") -> Iterator[object]:
        """Put what a registry has in a plugin's place; yield progress documents."""
        query: Query = {"remote": remote}
        path = self._path(name, "upgrade")
        return self._client.request("POST", path, query=query, doc=grants, headers=_auth(auth)).json_lines()

    def push(self, name: str, *, auth: str = "") -> Iterator[object]:
        """Send a plugin to the registry of its name; yield progress documents."""
        return self._client.request("POST", self._path(name, "push"), headers=_auth(auth)).json_lines()

    def set(self, name: str, assignments: Texts) -> None:
        """Change settings, ``NAME[.FIELD]=VALUE`` each."""
        self._client.call("POST", self._path(name, "set"), doc=assignments)

    def enable(self, name: str, *, timeout_s: int = 0) -> None:
        """Start it; ``timeout_s``: how long the engine waits for each of its answers."""
        self._client.request("POST", self._path(name, "enable"), query={"timeout": timeout_s}).read()

    def disable(self, name: str, *, force: bool = False) -> None:
        """End it; ``force``: also one that is in use."""
        self._client.request("POST", self._path(name, "disable"), query={"force": force or None}).read()

    def remove(self, name: str, *, force: bool = False) -> None:
        """Remove it; ``force``: also one that is enabled."""
        self._client.request("DELETE", self._path(name), query={"force": force or None}).read()


def _auth(header: str) -> dict[str, str]:
    return {"X-Registry-Auth": header} if header else {}
