"""Keys of results: an operation and what it works on, by content where that can be told."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from wharf.build.graph.operations import Copy, Exec, File
from wharf.build.graph.vertex import Vertex
from wharf.build.operations.results import Layers, Result
from wharf.build.operations.selection import Digests, digest_of
from wharf.build.operations.store import Store


def key_of(vertex: Vertex, inputs: Sequence[str], contents: Sequence[str], output: int = 0) -> str:
    """Return the key of a result: what was done, to what. Pure."""
    document = (type(vertex.operation).__name__, vertex.operation, vertex.platform, inputs, contents, output)
    return hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()


def outputs_of(vertex: Vertex) -> list[int]:
    """Return the outputs of a vertex."""
    if isinstance(vertex.operation, Exec):
        return [mount.output for mount in vertex.operation.mounts if mount.output >= 0]
    return [0]


def selections(vertex: Vertex, index: int) -> list[Copy]:
    """Return what a vertex takes of one of its inputs; none when it works on the whole of it. Pure."""
    match vertex.operation:
        case File(actions=actions, base=base):
            if index == base:
                return []
            return [action for action in actions if isinstance(action, Copy) and action.input == index]
        case Exec(mounts=mounts):
            used = [mount for mount in mounts if mount.input == index]
            if any(mount.target == "/" or not mount.read_only for mount in used):
                return []
            return [Copy(index, mount.selector or "/", "/", contents_only=True) for mount in used]
    return []


def name_of_whole(vertex: Vertex, index: int, result: Result) -> str | None:
    """Return what stands for an input that is taken as it is, so that nothing need be read; None for others. Pure."""
    return result.chain_id if isinstance(result, Layers) and not selections(vertex, index) else None


def content_of(store: Store, vertex: Vertex, index: int, result: Result, digests: Digests) -> list[str]:
    """Return digests of what a vertex takes of an input; blocking.

    Raises:
        NotFound: the input does not have it.
    """
    if (name := name_of_whole(vertex, index, result)) is not None:
        return [name]
    chosen = selections(vertex, index) or [Copy(index, "/", "/", contents_only=True)]
    with store.open(result) as root:
        if root is None:
            return [Layers().chain_id]
        return [digest_of(root, one, digests) for one in chosen]
