"""docker commit: an image of a container's own layer on the image it was made from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final, cast

from wharf.engine.containers import kill
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.changes import is_placeholder
from wharf.engine.containers.create import merge
from wharf.engine.containers.record import Container
from wharf.engine.containers.state import require
from wharf.engine.context import Context
from wharf.errors import Conflict
from wharf.images.changes import apply_changes
from wharf.images.committing import CommitRequest
from wharf.images.lookup import tagged
from wharf.spec.engine_api.container import ContainerConfig
from wharf.spec.oci_image import ExecutionConfig

_OF_IMAGES: Final = frozenset(ExecutionConfig.__annotations__)


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit is asked for."""

    repository: str = ""
    tag: str | None = None
    author: str = ""
    comment: str = ""
    pause: bool = True
    changes: Iterable[str] = ()
    config: ContainerConfig | None = None  # over the container's own; None: just that


async def commit(context: Context, ref: str, asked: Commit) -> str:
    """Make an image of a container and return its id; it is frozen meanwhile unless ``pause`` is off.

    Raises:
        NotFound: there is no such container, or its image has gone.
        InvalidArgument: the name or a change is malformed.
        Conflict: it is being removed.
    """
    container = context.registry.resolve(ref)
    require("commit", container.state, container_id=container.id, name=container.name)
    reference = tagged(asked.repository, asked.tag) if asked.repository else None
    request = CommitRequest(
        parent=context.images.resolve(container.image_id),
        changes=lambda: context.snapshots.changes(container.id, container.chain_id),
        execution=execution(container.spec.config, asked),
        reference=reference,
        author=asked.author,
        comment=asked.comment,
        created_by=" ".join(container.spec.config.get("Cmd") or []),
        container=container.id,
        container_config={**container.spec.config},
        leave_out=is_placeholder,
    )
    async with _frozen(context, container, pause=asked.pause):
        image = await context.images.commit(request)
    name = reference.familiar if reference else ""
    publish(context, container, "commit", comment=asked.comment, imageID=image.id, imageRef=name)
    context.events.publish("image", "create", image.id, {"name": image.id})
    if name:
        context.events.publish("image", "tag", image.id, {"name": name})
    return image.id


def execution(own: ContainerConfig, asked: Commit) -> ExecutionConfig:
    """Return how the new image is run: as the container is, with the changes. Pure."""
    start = {key: value for key, value in (asked.config or own).items() if value is not None}
    changed = cast("ContainerConfig", apply_changes(cast("ExecutionConfig", start), asked.changes))
    whole = merge(changed, cast("ExecutionConfig", own))
    return cast("ExecutionConfig", {key: value for key, value in whole.items() if key in _OF_IMAGES and value})


@asynccontextmanager
async def _frozen(context: Context, container: Container, *, pause: bool) -> AsyncIterator[None]:
    frozen = False
    if pause and container.state.status == "running":
        with suppress(Conflict):  # it has ended just now, or somebody else has frozen it
            await kill.pause(context, container.id)
            frozen = True
    try:
        yield
    finally:
        if frozen:
            with suppress(Conflict):  # it was thawed, or has ended, meanwhile
                await kill.unpause(context, container.id)
