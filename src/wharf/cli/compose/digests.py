"""Images of a project pinned to the digests that their registries say today."""

from __future__ import annotations

import os
from collections.abc import Callable

import msgspec

from wharf.client.client import Client
from wharf.client.credentials import auth_header
from wharf.client.documents import text
from wharf.client.images import Images
from wharf.compose.model.hooks import Hook
from wharf.compose.model.mounts import Mount
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.lib.reference import parse_reference


def pinned(project: Project, client: Client) -> Project:
    """Return the project with each image (of services, hooks and mounts) at its digest.

    Raises:
        WharfError: a registry does not know an image, or cannot be reached.
    """
    known: dict[str, str] = {}

    def pin(name: str) -> str:
        if not name or "@" in name:
            return name
        if name not in known:
            answer = Images(client).distribution(name, auth=auth_header(name, os.environ))
            known[name] = f"{parse_reference(name).with_default_tag()}@{text(answer, 'Descriptor', 'digest')}"
        return known[name]

    def hook(one: Hook) -> Hook:
        return msgspec.structs.replace(one, image=pin(one.image))

    def mount(one: Mount) -> Mount:
        is_image = one.type == "image" and one.source not in project.services
        return msgspec.structs.replace(one, source=pin(one.source)) if is_image else one

    def service(one: Service) -> Service:
        return msgspec.structs.replace(
            one,
            image=pin(one.image),
            pre_start=[hook(each) for each in one.pre_start],
            volumes=[mount(each) for each in one.volumes],
        )

    services = {name: service(one) for name, one in project.services.items()}
    return msgspec.structs.replace(project, services=services)


def locked(project: Project, warn: Callable[[str], None]) -> dict[str, object]:
    """Return an override file that holds nothing but the images of a pinned project.

    Args:
        project: Its images are at their digests.
        warn: Told which images an override cannot pin.
    """
    services: dict[str, object] = {}
    for name, service in sorted(project.services.items()):
        if any(hook.image for hook in service.pre_start):
            warn(
                f'service "{name}": images of pre_start hooks are not pinned by --lock-image-digests, '
                "for hooks of several files are run one after another: use --resolve-image-digests"
            )
        images = [mount for mount in service.volumes if mount.type == "image"]
        services[name] = Service(image=service.image, volumes=images).printed()
    return {"services": services}
