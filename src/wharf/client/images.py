"""Images over the API."""

from __future__ import annotations

from wharf.client.client import quote
from wharf.client.containers import filters_text
from wharf.client.documents import as_document, as_documents, text
from wharf.lib.light_json import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wharf.client.client import Client, Query
    from wharf.client.containers import Filters
    from wharf.client.documents import Document

    # The class has a method called list, which hides the type inside it.
    Documents = list[Document]
    Names = list[str]


def platform_document(text: str) -> str | None:
    """Return ``os/architecture[/variant]`` as the API takes it, an OCI platform as JSON; None for "". Pure."""
    if not text:
        return None
    names = ("os", "architecture", "variant")
    return dumps(dict(zip(names, text.split("/"), strict=False)))


def platform_documents(texts: Iterable[str] | None) -> Names:
    """Return several as :func:`platform_document`. Pure."""
    return [document for text in texts or () if (document := platform_document(text))]


class Images:
    """The images of one engine."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def _path(self, name: str, verb: str = "") -> str:
        # A repository's slashes are part of the path; so docker's clients send them too.
        return f"/images/{quote(name, keep=b'/:@')}" + (f"/{verb}" if verb else "")

    def list(
        self,
        *,
        all_images: bool = False,
        digests: bool = False,
        filters: Filters | None = None,
        manifests: bool = False,
    ) -> Documents:
        """Return summaries, newest first; with ``manifests`` what is below their names, too."""
        query: Query = {
            "all": all_images or None,
            "digests": digests or None,
            "filters": filters_text(filters),
            "manifests": manifests or None,
        }
        return as_documents(self._client.call("GET", "/images/json", query=query))

    def inspect(self, name: str, *, platform: str = "") -> Document:
        """Return the whole record of one image; ``platform``: of which of several."""
        query: Query = {"platform": platform_document(platform)}
        return as_document(self._client.call("GET", self._path(name, "json"), query=query))

    def history(self, name: str, *, platform: str = "") -> Documents:
        """Return its layers' history, newest first; ``platform``: of which of several images."""
        query: Query = {"platform": platform_document(platform)}
        return as_documents(self._client.call("GET", self._path(name, "history"), query=query))

    def tag(self, name: str, *, repository: str, tag: str) -> None:
        """Give it one more name."""
        query: Query = {"repo": repository, "tag": tag}
        self._client.request("POST", self._path(name, "tag"), query=query).read()

    def remove(
        self, name: str, *, force: bool = False, no_prune: bool = False, platforms: Names | None = None
    ) -> Documents:
        """Take a name off, and the image with its last; return what went, as Untagged and Deleted.

        With ``platforms`` only the images for these go.
        """
        query: Query = {
            "force": force or None,
            "noprune": no_prune or None,
            "platforms": platform_documents(platforms),
        }
        return as_documents(self._client.call("DELETE", self._path(name), query=query))

    def squash(self, name: str, *, base: str = "", repository: str = "", tag: str = "", comment: str = "") -> str:
        """Make an image whose layers above those of ``base``, or all, are one; return its id.

        An extension of Wharf's.
        """
        query: Query = {"base": base, "repo": repository, "tag": tag, "comment": comment}
        return text(as_document(self._client.call("POST", self._path(name, "squash"), query=query)), "Id")

    def prune(self, filters: Filters | None = None) -> Document:
        """Remove what nothing uses; return ImagesDeleted and SpaceReclaimed (bytes)."""
        return as_document(self._client.call("POST", "/images/prune", query={"filters": filters_text(filters)}))

    def pull(self, name: str, *, platform: str = "", auth: str = "") -> Iterator[object]:
        """Bring an image from its registry; yield progress documents.

        Args:
            name: A reference; without a tag, all of its repository's.
            platform: os/architecture[/variant].
            auth: An X-Registry-Auth header (see :mod:`wharf.client.credentials`).
        """
        query: Query = {"fromImage": name, "platform": platform}
        response = self._client.request("POST", "/images/create", query=query, headers=_auth(auth))
        return response.json_lines()

    def push(self, name: str, *, tag: str = "", platform: str = "", auth: str = "") -> Iterator[object]:
        """Send an image, or its one for ``platform``, to its registry, all of its tags without one."""
        # Docker refuses a push without the header: an empty object stands for nobody.
        headers = _auth(auth or "e30=")
        path = self._path(name, "push")
        query: Query = {"tag": tag, "platform": platform_document(platform)}
        return self._client.request("POST", path, query=query, headers=headers).json_lines()

    def search(self, term: str, *, limit: int = 0, filters: Filters | None = None, auth: str = "") -> Documents:
        """Return the repositories that a registry finds."""
        query: Query = {"term": term, "limit": limit or None, "filters": filters_text(filters)}
        return as_documents(self._client.request("GET", "/images/search", query=query, headers=_auth(auth)).json())

    def distribution(self, name: str, *, auth: str = "") -> Document:
        """Return what a registry has by that name: a ``Descriptor`` with the digest, and ``Platforms``."""
        path = f"/distribution/{quote(name, keep=b'/:@')}/json"
        return as_document(self._client.request("GET", path, headers=_auth(auth)).json())

    def load(
        self, archive: Iterable[bytes], *, quiet: bool = False, platform: Names | None = None
    ) -> Iterator[object]:
        """Send an archive of images, of which those for ``platform`` are taken, or all; yield progress documents."""
        headers = {"Content-Type": "application/x-tar"}
        query: Query = {"quiet": quiet, "platform": platform_documents(platform)}
        response = self._client.request("POST", "/images/load", query=query, body=archive, headers=headers)
        return response.json_lines()

    def save(self, names: Names, *, platform: Names | None = None) -> Iterator[bytes]:
        """Yield an archive of the named images, or of those for ``platform``."""
        query: Query = {"names": names, "platform": platform_documents(platform)}
        return self._client.request("GET", "/images/get", query=query).chunks()

    def import_archive(
        self,
        archive: Iterable[bytes] | None,
        *,
        source: str = "-",
        repository: str = "",
        tag: str = "",
        message: str = "",
        changes: Names | None = None,
        platform: str = "",
    ) -> Iterator[object]:
        """Make an image of a root file system's archive; yield progress documents.

        Args:
            archive: The archive, when ``source`` is ``-``.
            source: ``-``, or a URL the engine reads.
            repository: The new image's name, without its tag.
            tag: Its tag.
            message: Its comment.
            changes: Dockerfile instructions for its configuration.
            platform: os/architecture of what is in it.
        """
        query: Query = {
            "fromSrc": source,
            "repo": repository,
            "tag": tag,
            "message": message,
            "changes": changes or [],
            "platform": platform,
        }
        headers = {"Content-Type": "application/x-tar"}
        body = archive if archive is not None else iter(())
        return self._client.request("POST", "/images/create", query=query, body=body, headers=headers).json_lines()

    def bootstrap(self, name: str, *, include: Names | None = None, tag: str = "") -> Iterator[object]:
        """Make a base image on this machine, with no registry; yield progress documents.

        An extension of Wharf's.

        Args:
            name: What to make, such as ``busybox`` or ``debian:bookworm``.
            include: More packages to put in.
            tag: The new image's name, when it is not ``name``.
        """
        query: Query = {"name": name, "include": include or [], "tag": tag}
        return self._client.request("POST", "/images/bootstrap", query=query).json_lines()


def _auth(header: str) -> dict[str, str]:
    return {"X-Registry-Auth": header} if header else {}
