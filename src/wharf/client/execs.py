"""Further processes in running containers, over the API."""

from __future__ import annotations

from wharf.client.client import quote
from wharf.client.documents import as_document, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.client.client import Client
    from wharf.client.documents import Document
    from wharf.client.http1 import Wire


class Execs:
    """The execs of one engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, container: str, document: Document) -> str:
        """Create an exec; return its id."""
        made = as_document(self._client.call("POST", f"/containers/{quote(container)}/exec", doc=document))
        return text(made, "Id")

    def start(self, exec_id: str, *, tty: bool = False, size: list[int] | None = None) -> Wire:
        """Start it and return a two-way stream to its stdio. ``size`` is rows and columns of its terminal."""
        document: Document = {"Detach": False, "Tty": tty}
        if size:
            document["ConsoleSize"] = size
        return self._client.hijack(f"/exec/{quote(exec_id)}/start", doc=document)

    def start_detached(self, exec_id: str, *, tty: bool = False) -> None:
        """Start it and leave it alone."""
        self._client.request("POST", f"/exec/{quote(exec_id)}/start", doc={"Detach": True, "Tty": tty}).read()

    def inspect(self, exec_id: str) -> Document:
        """Return its record: Running, ExitCode, ..."""
        return as_document(self._client.call("GET", f"/exec/{quote(exec_id)}/json"))

    def resize(self, exec_id: str, *, height: int, width: int) -> None:
        """Tell its terminal the new size, in rows and columns."""
        self._client.request("POST", f"/exec/{quote(exec_id)}/resize", query={"h": height, "w": width}).read()
