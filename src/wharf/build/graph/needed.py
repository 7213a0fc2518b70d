"""Which paths of a client's folders a graph takes: nothing else has to be sent. Pure."""

from __future__ import annotations

from wharf.build.graph.operations import Copy, Exec, File, Operation, Source
from wharf.build.graph.vertex import Edge, walk


def needed(target: Edge) -> dict[str, list[str] | None]:
    """Return the paths of each local folder, sorted; None for the whole of it."""
    found: dict[str, set[str] | None] = {}
    if isinstance(target.vertex.operation, Source):
        return {}
    for vertex in walk(target):
        for index, edge in enumerate(vertex.inputs):
            source = edge.vertex.operation
            if not isinstance(source, Source) or source.scheme != "local":
                continue
            paths = _taken(vertex.operation, index)
            before = found.setdefault(source.rest, set())
            found[source.rest] = None if paths is None or before is None else before | paths
    return {name: None if paths is None else sorted(paths) for name, paths in found.items()}


def _taken(operation: Operation, index: int) -> set[str] | None:
    match operation:
        case File(actions=actions):
            copies = [action for action in actions if isinstance(action, Copy) and action.input == index]
            paths = {path for one in copies for path in (one.source, *one.required)}
        case Exec(mounts=mounts):
            paths = {mount.selector or "/" for mount in mounts if mount.input == index}
        case _:
            return None
    clean = {path.strip("/") for path in paths}
    return None if clean & {"", "."} else clean
