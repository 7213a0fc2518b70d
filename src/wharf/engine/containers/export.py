"""docker export: a container's whole root, without its volumes, as a tar archive."""

from __future__ import annotations

from typing import BinaryIO

from wharf.engine.containers.attributes import publish
from wharf.engine.containers.filesystem import view_of
from wharf.engine.containers.record import Container
from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.engine.streams import Outgoing
from wharf.storage.pack import pack


async def export(context: Context, ref: str) -> Outgoing:
    """Return the archive of a container's root, running or not.

    Raises:
        NotFound: there is none of that name.
        Conflict: it is being removed.
    """
    container = context.registry.resolve(ref)
    require("export", container.state, container_id=container.id, name=container.name)
    outgoing = Outgoing(lambda sink: _write(context, container, sink))
    publish(context, container, "export")
    return outgoing


def _write(context: Context, container: Container, sink: BinaryIO) -> None:
    with view_of(context, container) as view:
        pack(view.root, sink, overlay=False)
