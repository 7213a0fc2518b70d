"""Sources: images, folders of the client's, repositories, addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wharf.build.graph.operations import Source
from wharf.errors import NotImplementedHere
from wharf.spec.buildkit.ops_pb2 import SourceOp

RESULT: Final = "wharf-result"
"""The scheme of results of builds that are under way, as clients are told of them; ours."""

ImageDigests = Mapping[tuple[str, str], str]
"""What pins an image, by reference and platform."""

_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "docker-image": frozenset({"image.resolvemode", "image.recordtype"}),
    "local": frozenset(
        {
            "local.session",
            "local.unique",
            "local.includepattern",
            "local.followpaths",
            "local.excludepatterns",
            "local.sharedkeyhint",
            "local.differ",
        }
    ),
    "git": frozenset({"git.keepgitdir", "git.fullurl", "git.checksum", "git.skipsubmodules"}),
    "http": frozenset({"http.checksum", "http.filename"}),
    "https": frozenset({"http.checksum", "http.filename"}),
    RESULT: frozenset(),
}
# What says how bytes are brought, not which: two clients' sources of one folder are one.
_NOT_KEPT: Final = {"local.session", "local.unique", "local.differ", "image.recordtype"}


def source_of(op: SourceOp, images: ImageDigests, platform: str) -> tuple[Source, str]:
    """Return a source, and what it is called.

    Raises:
        NotImplementedHere: its kind, or an attribute of it, is not supported; with its name.
    """
    scheme, _, rest = op.identifier.partition("://")
    if scheme not in _KNOWN:
        raise NotImplementedHere(f"sources of the kind {scheme} are not supported by this build of wharf")
    for name in op.attrs:
        if name not in _KNOWN[scheme]:
            raise NotImplementedHere(f"the attribute {name} of a source is not supported by this build of wharf")
    attributes = {name: value for name, value in op.attrs.items() if name not in _NOT_KEPT}
    if scheme == "docker-image":
        attributes["image.digest"] = images[rest, platform]
    return Source(op.identifier, tuple(sorted(attributes.items()))), op.identifier
