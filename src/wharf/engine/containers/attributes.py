"""What an event says of a container."""

from __future__ import annotations

from wharf.engine.containers.record import Container
from wharf.engine.context import Context


def publish(context: Context, container: Container, action: str, **more: str) -> None:
    """Publish ``action`` of a container: its labels, image and name go along."""
    attributes = {
        **(container.spec.config.get("Labels") or {}),
        "image": container.spec.config.get("Image") or "",
        "name": container.name,
        **more,
    }
    context.events.publish("container", action, container.id, attributes)
