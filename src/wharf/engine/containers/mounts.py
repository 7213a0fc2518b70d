"""A container's mounts: their sources found or made on the host, and what the OCI configuration makes of them."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from posixpath import normpath
from types import MappingProxyType
from typing import Final

from wharf.engine.containers.mount_request import Wanted, parse_volumes_from, wanted
from wharf.engine.containers.record import Container, Specification
from wharf.engine.context import Context, log
from wharf.engine.ocispec.inputs import ResolvedMount
from wharf.errors import InvalidArgument, NotFound, NotImplementedHere, WharfError
from wharf.images.record import ImageRecord
from wharf.kernel.openat2 import open_beneath
from wharf.spec.engine_api.container import ContainerConfig, HostConfig, MountPoint
from wharf.spec.engine_api.volume import VolumeCreateRequest

_OWN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


async def resolve(context: Context, config: ContainerConfig, host: HostConfig, container_id: str) -> list[MountPoint]:
    """Find or make the sources of all mounts: volumes are created, missing -v folders too, as Docker does.

    New anonymous volumes go with the container until :func:`keep_volumes`.

    Raises:
        InvalidArgument: a mount is malformed or, with --mount, its source does not exist.
    """
    inherited = _inherited(context, host)
    asked = wanted(config, host, inherited.keys())
    owner = context.root_of(host)
    points = [
        await _resolve_one(context, mount, container_id, host.get("VolumeDriver") or "", owner) for mount in asked
    ]
    taken = {mount.target for mount in asked} | {normpath(target) for target in host.get("Tmpfs") or {}}
    return [*points, *(point for target, point in inherited.items() if target not in taken)]


def _inherited(context: Context, host: HostConfig) -> dict[str, MountPoint]:
    """Return the mounts of the containers that --volumes-from names, by target; a later one wins."""
    found: dict[str, MountPoint] = {}
    for text in host.get("VolumesFrom") or []:
        name, read_only = parse_volumes_from(text)
        try:
            other = context.registry.resolve(name)
        except NotFound as error:  # not as such: docker's command line would go and pull the image
            raise InvalidArgument(str(error)) from error
        parts = {m.target for m in wanted(other.spec.config, other.spec.host_config) if m.subpath}
        for point in other.spec.mounts:
            target = point.get("Destination") or ""
            if target in parts:
                raise NotImplementedHere(f"--volumes-from: {other.name} mounts a part of a volume at {target}")
            if point.get("Type") in ("bind", "volume"):
                found[target] = {**point, "RW": bool(point.get("RW")) and not read_only}
    return found


async def _resolve_one(
    context: Context, mount: Wanted, container_id: str, driver: str, owner: tuple[int, int]
) -> MountPoint:
    point: MountPoint = {
        "Type": mount.type,
        "Destination": mount.target,
        "Mode": mount.mode,
        "RW": not mount.read_only,
        "Propagation": mount.propagation,
    }
    if mount.type == "bind":
        await asyncio.to_thread(_find_source, mount, owner)
        return {**point, "Source": mount.source}
    if mount.type == "image":
        return {**point, "Name": context.images.resolve(mount.source).id, "Source": mount.source}
    if mount.type == "volume":
        return {**point, **await _volume(context, mount, container_id, driver)}
    return {**point, "Source": ""}


async def _volume(context: Context, mount: Wanted, container_id: str, driver: str) -> MountPoint:
    name = mount.source or context.new_id()
    labels = dict(mount.labels) if mount.source else {**dict(mount.labels), "com.docker.volume.anonymous": ""}
    document: VolumeCreateRequest = {
        "Name": name,
        "Labels": labels,
        "Driver": mount.driver or driver or "local",
        "DriverOpts": dict(mount.driver_options),
    }
    was_there = context.volumes.driver_of(name)
    volume = await context.volumes.create(document, made_for=None if mount.source else container_id)
    if not was_there:
        context.events.publish("volume", "create", name, {"driver": volume.get("Driver") or "local"})
    return {
        "Name": name,
        "Source": volume.get("Mountpoint") or "",
        "Driver": volume.get("Driver") or "local",
        "Mode": mount.mode or ("" if mount.copy else "nocopy"),
    }


def _find_source(mount: Wanted, owner: tuple[int, int]) -> None:
    if Path(mount.source).exists():
        return
    if mount.must_exist:
        raise InvalidArgument(
            f'invalid mount config for type "bind": bind source path does not exist: {mount.source}'
        )
    make_folder(Path(mount.source), owner)


def make_folder(path: Path, owner: tuple[int, int]) -> None:
    """Make a folder, and those that lead there, for ``owner`` (uid, gid); what is there stays whose it is.

    A container's root may write where it is made, and put symlinks in its way: none is followed from there on.

    Raises:
        OSError: ENOTDIR or ELOOP: what is there, or has just come there, is no folder.
    """
    there = next(folder for folder in path.parents if folder.exists())
    fd = os.open(there, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in path.relative_to(there).parts:
            made = _make_in(fd, name)
            inner = os.open(name, _OWN_FOLDER, dir_fd=fd)
            os.close(fd)
            fd = inner
            if made and owner != (0, 0):
                os.fchown(fd, *owner)
    finally:
        os.close(fd)


def _make_in(folder: int, name: str) -> bool:
    try:
        os.mkdir(name, dir_fd=folder)
    except FileExistsError:
        return False
    return True


def place_images(context: Context, container: Container) -> dict[str, str]:
    """Make what storage drivers need on the host for images that a container mounts; return folders, by target."""
    found = {}
    for point in container.spec.mounts:
        if point.get("Type") == "image":
            target, image = point.get("Destination") or "", context.images.resolve(point.get("Name") or "")
            found[target] = context.snapshots.place_image(container.id, target, image.chain_id)
    return found


def resolved(
    context: Context, container: Container, images: Mapping[str, str] = MappingProxyType({})
) -> list[ResolvedMount]:
    """Return what the OCI configuration mounts; ``images`` has the folders that :func:`place_images` made.

    Raises:
        InvalidArgument: a part of a volume does not exist, or a propagation is not what the host's mount has.
    """
    host = container.spec.host_config
    asked = {m.target: m for m in wanted(container.spec.config, host)}
    mounts = []
    for point in container.spec.mounts:
        target = point.get("Destination") or ""
        mount = asked.get(target) or Wanted(point.get("Type") or "bind", "", target)
        mounts.append(_resolved(context, point, mount, images.get(target, "")))
    for target, options in (host.get("Tmpfs") or {}).items():
        mounts.append(ResolvedMount("tmpfs", "", target, options=tuple(o for o in (options or "").split(",") if o)))
    return mounts


def _resolved(context: Context, point: MountPoint, mount: Wanted, placed: str) -> ResolvedMount:
    found = ResolvedMount(
        type=mount.type,
        source=point.get("Source") or "",
        target=mount.target,
        read_only=not point.get("RW"),
        recursive=mount.recursive,
        propagation=mount.propagation,
        options=(*mount.options, *(["ro"] if mount.type == "tmpfs" and mount.read_only else [])),
        read_only_below=mount.read_only_below is not False,
        our_own=context.remapping is not None and _is_our_own(context, mount.type, point.get("Name") or ""),
    )
    if mount.type == "image":
        image = context.images.resolve(point.get("Name") or "")
        lower = [placed] if placed else [str(path) for path in context.snapshots.lower_dirs(image.chain_id)]
        found = replace(found, lower=tuple(lower), source=lower[0] if len(lower) == 1 else "")
    if mount.type == "bind":
        require_propagation(found.source, mount.propagation)
    if mount.subpath:
        if found.source:  # several layers are looked through when they are one file system
            _require_part(found.source, mount.subpath)
        found = replace(found, options=(*found.options, f"wharf.part={mount.subpath}"))
    return found


def _is_our_own(context: Context, kind: str, name: str) -> bool:
    """Return whether a mount's files are the engine's to keep, and so have containers' ids on the disk."""
    return kind == "image" or (kind == "volume" and (row := context.volumes.find(name)) is not None and row.plain)


def _require_part(folder: str, subpath: str) -> None:
    """Say in Docker's words that a part of a volume is none; the runtime opens it again, inside the volume.

    Raises:
        InvalidArgument: it does not exist, or symlinks lead out of the volume.
    """
    top = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.close(open_beneath(top, subpath))
    except OSError as error:
        if error.errno == errno.EXDEV:
            outside = f"path concatenation escapes the base directory, base: {folder}, subpath: {subpath}"
            raise InvalidArgument(outside) from error
        raise InvalidArgument(f"cannot access path {folder}/{subpath}: {(error.strerror or '').lower()}") from error
    finally:
        os.close(top)


def require_propagation(source: str, mode: str) -> None:
    """Refuse, in Docker's words, a propagation that the host's mount does not have.

    Raises:
        InvalidArgument: the mount that ``source`` is on is not shared or, for slave, neither shared nor a slave.
    """
    wanted_fields = {"shared": ("shared:",), "slave": ("shared:", "master:")}.get(mode.removeprefix("r"))
    if wanted_fields is None:
        return
    real = os.path.realpath(source)
    point, fields = "", ""
    with open("/proc/self/mountinfo") as file:
        for line in file:
            words = line.split(" ")
            inside = real == words[4] or real.startswith(words[4].rstrip("/") + "/")
            if inside and len(words[4]) >= len(point):
                point, fields = words[4], line.partition(" - ")[0]
    if not any(field in fields for field in wanted_fields):
        kind = "a shared" if len(wanted_fields) == 1 else "a shared or slave"
        raise InvalidArgument(f"path {source} is mounted on {point} but it is not {kind} mount")


async def fill_volumes(
    context: Context, spec: Specification, points: Iterable[MountPoint], image: ImageRecord
) -> None:
    """Copy what the image has at a new volume's target into it (docker docs, "Populate a volume")."""
    parts = {mount.target: mount.subpath for mount in wanted(spec.config, spec.host_config)}
    for point in points:
        if point.get("Type") == "volume" and "nocopy" not in (point.get("Mode") or "").split(","):
            target = point.get("Destination") or ""
            await context.volumes.fill(point.get("Name") or "", target, image.chain_id, parts.get(target, ""))


def keep_volumes(context: Context, points: Iterable[MountPoint]) -> None:
    """Let a container's volumes be its own; a part of the transaction that records it."""
    for point in points:
        if point.get("Type") == "volume":
            context.volumes.keep(point.get("Name") or "")


async def mount_volumes(context: Context, container: Container) -> None:
    """Have the data of a container's volumes be where it finds them; :func:`unmount_volumes` undoes it.

    Raises:
        NotFound: a volume, or the plugin that keeps it, has gone.
        WharfError: why it could not be mounted, in Docker's words.
    """
    points = list(container.spec.mounts)
    for index, point in enumerate(points):
        if point.get("Type") != "volume":
            continue
        name = point.get("Name") or ""
        path = await context.volumes.mount(name, container.id)
        points[index] = {**point, "Source": path}
        told = {"destination": point.get("Destination") or "", "read/write": "true" if point.get("RW") else "false"}
        _publish(context, container, "mount", point, propagation=point.get("Propagation") or "", **told)
    if points != container.spec.mounts:
        context.registry.respecify(container, replace(container.spec, mounts=points))


async def unmount_volumes(context: Context, container: Container) -> None:
    """Let go of the volumes of a container that does not run; idempotent."""
    for point in container.spec.mounts:
        if point.get("Type") == "volume":
            try:
                await context.volumes.unmount(point.get("Name") or "", container.id)
            except (WharfError, OSError) as error:
                log.warning("volume %s of container %s: %s", point.get("Name"), container.name, error)
            _publish(context, container, "unmount", point)


def _publish(context: Context, container: Container, action: str, point: MountPoint, **more: str) -> None:
    attributes = {"container": container.id, "driver": point.get("Driver") or "local", **more}
    context.events.publish("volume", action, point.get("Name") or "", attributes)


async def remove_anonymous(context: Context, container: Container) -> None:
    """Remove the volumes that were made for this container alone and have no name of their own."""
    for point in container.spec.mounts:
        if point.get("Type") == "volume" and (name := point.get("Name") or ""):
            await context.volumes.remove_if_anonymous(
                name, lambda name: [i for i in context.volume_users(name) if i != container.id]
            )
            if not context.volumes.driver_of(name):
                context.events.publish("volume", "destroy", name, {"driver": point.get("Driver") or "local"})
