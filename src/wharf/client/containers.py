"""Containers over the API. Each method is one request; see the Engine API for the documents."""

from __future__ import annotations

import binascii

from wharf.client.client import quote
from wharf.client.documents import as_document, as_documents, text
from wharf.client.errors import ProtocolError
from wharf.lib.light_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wharf.client.client import Client, Query, Response
    from wharf.client.documents import Document
    from wharf.client.http1 import Wire

    Filters = Mapping[str, list[str]]
    # The class has a method called list, which hides the type inside it.
    Documents = list[Document]
    Words = list[str]


def filters_text(filters: Filters | None) -> str:
    """Return filters as the query spells them: a JSON object of name to values as keys, empty for none."""
    if not filters:
        return ""
    return dumps({name: dict.fromkeys(values, True) for name, values in filters.items()})


def _path_stat(response: Response) -> Document:
    try:
        return as_document(loads(binascii.a2b_base64(response.header("x-docker-container-path-stat")).decode()))
    except ValueError as error:
        raise ProtocolError("the engine does not say what the path is") from error


class Containers:
    """The containers of one engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _path(self, name: str, verb: str = "") -> str:
        return f"/containers/{quote(name)}" + (f"/{verb}" if verb else "")

    def create(self, document: Document, *, name: str = "", platform: str = "") -> Document:
        """Create a container; return its Id and Warnings."""
        query = {"name": name, "platform": platform}
        return as_document(self._client.call("POST", "/containers/create", query=query, doc=document))

    def list(
        self, *, all_states: bool = False, limit: int = 0, size: bool = False, filters: Filters | None = None
    ) -> list[Document]:
        """Return summaries, newest first; ``limit`` counts containers in any state."""
        query = {
            "all": all_states or None,
            "limit": limit or None,
            "size": size or None,
            "filters": filters_text(filters),
        }
        return as_documents(self._client.call("GET", "/containers/json", query=query))

    def inspect(self, name: str, *, size: bool = False) -> Document:
        """Return the whole record of one container."""
        return as_document(self._client.call("GET", self._path(name, "json"), query={"size": size or None}))

    def start(self, name: str, *, detach_keys: str = "", saved: str = "", saved_dir: str = "") -> None:
        """Start it, or bring back its checkpoint ``saved``; a running one stays as it is."""
        query = {"detachKeys": detach_keys, "checkpoint": saved, "checkpoint-dir": saved_dir}
        self._client.request("POST", self._path(name, "start"), query=query).read()

    def checkpoint(self, name: str, checkpoint: str, *, folder: str = "", leave_running: bool = False) -> None:
        """Save it; it stops, unless it is left running."""
        document: Document = {"CheckpointID": checkpoint, "CheckpointDir": folder, "Exit": not leave_running}
        self._client.call("POST", self._path(name, "checkpoints"), doc=document)

    def checkpoints(self, name: str, *, folder: str = "") -> Documents:
        """Return what was saved of it."""
        return as_documents(self._client.call("GET", self._path(name, "checkpoints"), query={"dir": folder}))

    def remove_checkpoint(self, name: str, checkpoint: str, *, folder: str = "") -> None:
        """Forget what was saved of it."""
        path = f"{self._path(name, 'checkpoints')}/{quote(checkpoint)}"
        self._client.request("DELETE", path, query={"dir": folder}).read()

    def stop(self, name: str, *, signal: str = "", timeout_s: int | None = None) -> None:
        """Ask it to stop, and kill it after the timeout; None is the container's own, negative waits for ever."""
        self._client.request("POST", self._path(name, "stop"), query={"signal": signal, "t": timeout_s}).read()

    def restart(self, name: str, *, signal: str = "", timeout_s: int | None = None) -> None:
        """Stop and start it."""
        self._client.request("POST", self._path(name, "restart"), query={"signal": signal, "t": timeout_s}).read()

    def kill(self, name: str, signal: str = "") -> None:
        """Send a signal to its first process; by default KILL."""
        self._client.request("POST", self._path(name, "kill"), query={"signal": signal}).read()

    def pause(self, name: str) -> None:
        """Freeze its processes."""
        self._client.request("POST", self._path(name, "pause")).read()

    def unpause(self, name: str) -> None:
        """Thaw its processes."""
        self._client.request("POST", self._path(name, "unpause")).read()

    def rename(self, name: str, new_name: str) -> None:
        """Give it another name."""
        self._client.request("POST", self._path(name, "rename"), query={"name": new_name}).read()

    def remove(self, name: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        """Remove it; with ``force`` also a running one, with ``volumes`` its anonymous volumes too."""
        query = {"force": force or None, "v": volumes or None, "link": link or None}
        self._client.request("DELETE", self._path(name), query=query).read()

    def update(self, name: str, document: Document) -> Document:
        """Change its limits and restart policy; return Warnings."""
        return as_document(self._client.call("POST", self._path(name, "update"), doc=document))

    def wait(self, name: str, *, condition: str = "") -> Response:
        """Register a wait and return at once: the answer's head is the receipt, its JSON body comes at the exit.

        Args:
            name: The container.
            condition: ``not-running``, ``next-exit`` or ``removed``.
        """
        return self._client.request("POST", self._path(name, "wait"), query={"condition": condition})

    def attach(
        self,
        name: str,
        *,
        stdin: bool = False,
        stdout: bool = False,
        stderr: bool = False,
        logs: bool = False,
        detach_keys: str = "",
    ) -> Wire:
        """Return a two-way stream to its stdio: raw with a terminal, else framed (see ``client/frames.py``)."""
        query = {
            "stream": True,
            "stdin": stdin or None,
            "stdout": stdout or None,
            "stderr": stderr or None,
            "logs": logs or None,
            "detachKeys": detach_keys,
        }
        return self._client.hijack(self._path(name, "attach"), query=query)

    def resize(self, name: str, *, height: int, width: int) -> None:
        """Tell its terminal the new size, in rows and columns."""
        self._client.request("POST", self._path(name, "resize"), query={"h": height, "w": width}).read()

    def logs(self, name: str, *, follow: bool = False, timestamps: bool = False, **window: str) -> Iterator[bytes]:
        """Yield its log, framed unless it has a terminal.

        Args:
            name: The container.
            follow: Go on with what is written from now on.
            timestamps: Begin each line with its time.
            window: ``since``, ``until``, ``tail`` and ``details``, as the API spells them.
        """
        query = {
            "stdout": True,
            "stderr": True,
            "follow": follow or None,
            "timestamps": timestamps or None,
            **window,
        }
        return self._client.request("GET", self._path(name, "logs"), query=query).chunks()

    def archive_stat(self, name: str, path: str) -> Document:
        """Return what a path in it is: name, size, mode (Go's os.FileMode), mtime, linkTarget."""
        response = self._client.request("HEAD", self._path(name, "archive"), query={"path": path})
        response.read()
        return _path_stat(response)

    def archive(self, name: str, path: str) -> tuple[Document, Iterator[bytes]]:
        """Return what a path in it is, and its tar archive."""
        response = self._client.request("GET", self._path(name, "archive"), query={"path": path})
        return _path_stat(response), response.chunks()

    def extract(
        self, name: str, path: str, archive: Iterable[bytes], *, own: bool = False, keep_kinds: bool = False
    ) -> None:
        """Unpack a tar archive into a folder of it.

        Args:
            name: The container.
            path: The folder.
            archive: The archive, plain or compressed.
            own: Give what is unpacked to the container's user.
            keep_kinds: Refuse to put a folder in a file's place, or the reverse.
        """
        query = {"path": path, "noOverwriteDirNonDir": keep_kinds or None, "copyUIDGID": own or None}
        headers = {"Content-Type": "application/x-tar"}
        path = self._path(name, "archive")
        self._client.request("PUT", path, query=query, body=archive, headers=headers).read()

    def export(self, name: str) -> Iterator[bytes]:
        """Yield its root as a tar archive."""
        return self._client.request("GET", self._path(name, "export")).chunks()

    def changes(self, name: str) -> Documents:
        """Return what it has changed of its image: Path, and Kind (0 modified, 1 added, 2 deleted)."""
        return as_documents(self._client.call("GET", self._path(name, "changes")))

    def commit(
        self,
        name: str,
        *,
        repository: str = "",
        tag: str = "",
        author: str = "",
        message: str = "",
        changes: Words | None = None,
        pause: bool = True,
    ) -> str:
        """Make an image of it and return the image's id."""
        query: Query = {
            "container": name,
            "repo": repository,
            "tag": tag,
            "author": author,
            "comment": message,
            "changes": changes or [],
            "pause": pause,
        }
        return text(as_document(self._client.call("POST", "/commit", query=query)), "Id")

    def top(self, name: str, ps_args: str = "") -> Document:
        """Return Titles and Processes, as ps(1) with ``ps_args`` shows them."""
        return as_document(self._client.call("GET", self._path(name, "top"), query={"ps_args": ps_args}))

    def stats(self, name: str, *, stream: bool = False, one_shot: bool = False) -> Iterator[object]:
        """Yield its use of resources, about each second or once: beside that of a second ago, or at once, alone."""
        query = {"stream": stream, "one-shot": one_shot or None}
        return self._client.request("GET", self._path(name, "stats"), query=query).json_lines()

    def prune(self, filters: Filters | None = None) -> Document:
        """Remove what is stopped; return ContainersDeleted and SpaceReclaimed (bytes)."""
        query = {"filters": filters_text(filters)}
        return as_document(self._client.call("POST", "/containers/prune", query=query))
