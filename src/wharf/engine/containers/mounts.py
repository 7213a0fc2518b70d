"""-v, --mount, --tmpfs and the image's VOLUMEs: parsed (pure), then found or made on the host."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.ocispec.inputs import ResolvedMount
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.record import ImageRecord
from wharf.spec.engine_api.container import ContainerConfig, HostConfig, Mount, MountPoint

PROPAGATIONS: Final = frozenset({"private", "rprivate", "slave", "rslave", "shared", "rshared"})
_NO_OPS: Final = frozenset({"z", "Z", "consistent", "cached", "delegated", ""})  # nothing to do without SELinux
_UNSUPPORTED_OPTIONS: Final = {
    "BindOptions": ("ReadOnlyForceRecursive", "ReadOnlyNonRecursive", "CreateMountpoint"),
    "VolumeOptions": ("Subpath", "DriverConfig"),
    "ImageOptions": ("Subpath",),
    "TmpfsOptions": ("Options",),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One mount as asked for."""

    type: str  # bind | volume | tmpfs
    source: str  # host path, volume name, or "" for an anonymous volume or a tmpfs
    target: str
    mode: str = ""
    read_only: bool = False
    propagation: str = ""
    copy: bool = True
    recursive: bool = True
    must_exist: bool = True
    options: tuple[str, ...] = ()


def wanted(config: ContainerConfig, host: HostConfig) -> list[Wanted]:
    """Return every mount that a request asks for, one for each target; the image's own volumes yield. Pure.

    Raises:
        InvalidArgument: one is malformed, or two have the same target.
    """
    asked = [parse_bind(text) for text in host.get("Binds") or []]
    asked += [from_mount(mount) for mount in host.get("Mounts") or []]
    targets: set[str] = set()
    for mount in asked:
        if mount.target in targets:
            raise InvalidArgument(f"Duplicate mount point: {mount.target}")
        targets.add(mount.target)
    targets |= {os.path.normpath(t) for t in host.get("Tmpfs") or {}}
    for path in config.get("Volumes") or {}:
        if (target := _target(path, path)) not in targets:
            asked.append(Wanted("volume", "", target))
    return asked


def parse_bind(text: str) -> Wanted:
    """Return "source:target[:options]" or "target" (docker run reference, "--volume"). Pure."""
    parts = text.split(":")
    if not all(parts[:2]) or len(parts) > 3:
        raise InvalidArgument(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        return Wanted("volume", "", _target(parts[0], text))
    source, target, mode = parts[0], _target(parts[1], text), parts[2] if len(parts) == 3 else ""
    read_only, copy, propagation = False, True, ""
    for option in mode.split(","):
        if option in ("ro", "rw"):
            read_only = option == "ro"
        elif option in PROPAGATIONS:
            propagation = option
        elif option == "nocopy":
            copy = False
        elif option not in _NO_OPS:
            raise InvalidArgument(f"invalid mode: {mode}")
    if source.startswith("/"):
        return Wanted(
            "bind", os.path.normpath(source), target, mode, read_only, propagation or "rprivate", must_exist=False
        )
    if "/" in source:
        raise InvalidArgument(
            f'create {source}: "{source}" includes invalid characters for a local volume name, only '
            '"[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. If you intended to pass a host directory, use absolute path'
        )
    return Wanted("volume", source, target, mode, read_only, copy=copy)


def from_mount(mount: Mount) -> Wanted:
    """Return one entry of HostConfig.Mounts. Pure."""
    kind = mount.get("Type") or ""
    if kind not in ("bind", "volume", "tmpfs"):
        raise NotImplementedHere(f'mount type "{kind}" is not supported by this build of wharf')
    _refuse_unsupported(mount)
    target = _target(mount.get("Target") or "", str(dict(mount)))
    source, read_only = mount.get("Source") or "", bool(mount.get("ReadOnly"))
    if kind == "tmpfs":
        return Wanted("tmpfs", "", target, read_only=read_only, options=_tmpfs_options(mount))
    if kind == "volume":
        return Wanted(
            "volume", source, target, read_only=read_only, copy=not (mount.get("VolumeOptions") or {}).get("NoCopy")
        )
    if not source.startswith("/"):
        raise InvalidArgument(
            f"invalid mount config for type \"bind\": invalid mount path: '{source}' mount path must be absolute"
        )
    bind = mount.get("BindOptions") or {}
    propagation = bind.get("Propagation") or "rprivate"
    if propagation not in PROPAGATIONS:
        raise InvalidArgument(f'invalid mount config for type "bind": invalid propagation mode: {propagation}')
    return Wanted("bind", source, target, "", read_only, propagation, recursive=not bind.get("NonRecursive"))


def _refuse_unsupported(mount: Mount) -> None:
    values = dict(mount)
    for group, fields in _UNSUPPORTED_OPTIONS.items():
        options = values.get(group)
        for field in fields:
            if isinstance(options, dict) and options.get(field):
                raise NotImplementedHere(f"{group}.{field} of a mount is not supported by this build of wharf")


def _tmpfs_options(mount: Mount) -> tuple[str, ...]:
    options = mount.get("TmpfsOptions") or {}
    size, mode = options.get("SizeBytes"), options.get("Mode")
    return tuple(([f"size={size}"] if size else []) + ([f"mode={mode:o}"] if mode else []))


def _target(path: str, text: str) -> str:
    if not path.startswith("/"):
        raise InvalidArgument(
            f"invalid volume specification: '{text}': invalid mount config for type: mount path must be absolute"
        )
    if (target := os.path.normpath(path)) == "/":
        raise InvalidArgument(
            f"invalid volume specification: '{text}': invalid specification: destination can't be '/'"
        )
    return target


async def resolve(context: Context, config: ContainerConfig, host: HostConfig, container_id: str) -> list[MountPoint]:
    """Find or make the sources of all mounts: volumes are created, missing -v folders too, as Docker does.

    New anonymous volumes go with the container until :func:`keep_volumes`.

    Raises:
        InvalidArgument: a mount is malformed or, with --mount, its source does not exist.
    """
    return [await _resolve_one(context, mount, container_id) for mount in wanted(config, host)]


async def _resolve_one(context: Context, mount: Wanted, container_id: str) -> MountPoint:
    point: MountPoint = {
        "Type": mount.type,
        "Destination": mount.target,
        "Mode": mount.mode,
        "RW": not mount.read_only,
        "Propagation": mount.propagation,
    }
    if mount.type == "bind":
        await asyncio.to_thread(_find_source, mount)
        return {**point, "Source": mount.source}
    if mount.type == "volume":
        name = mount.source or context.new_id()
        labels = {} if mount.source else {"com.docker.volume.anonymous": ""}
        made_for = None if mount.source else container_id
        await context.volumes.create({"Name": name, "Labels": labels}, made_for=made_for)
        return {
            **point,
            "Name": name,
            "Source": str(context.data.volume(name)),
            "Driver": "local",
            "Mode": mount.mode or ("" if mount.copy else "nocopy"),
        }
    return {**point, "Source": ""}


def _find_source(mount: Wanted) -> None:
    if Path(mount.source).exists():
        return
    if mount.must_exist:
        raise InvalidArgument(
            f'invalid mount config for type "bind": bind source path does not exist: {mount.source}'
        )
    Path(mount.source).mkdir(parents=True, exist_ok=True)


def resolved(container: Container) -> list[ResolvedMount]:
    """Return what the OCI configuration mounts."""
    host = container.spec.host_config
    asked = {m.target: m for m in wanted(container.spec.config, host)}
    mounts = []
    for point in container.spec.mounts:
        target = point.get("Destination") or ""
        mount = asked.get(target) or Wanted(point.get("Type") or "bind", "", target)
        mounts.append(
            ResolvedMount(
                type=mount.type,
                source=point.get("Source") or "",
                target=target,
                read_only=not point.get("RW"),
                recursive=mount.recursive,
                propagation=mount.propagation,
                options=(*mount.options, *(["ro"] if mount.type == "tmpfs" and mount.read_only else [])),
            )
        )
    for target, options in (host.get("Tmpfs") or {}).items():
        mounts.append(ResolvedMount("tmpfs", "", target, options=tuple(o for o in (options or "").split(",") if o)))
    return mounts


async def fill_volumes(context: Context, points: Iterable[MountPoint], image: ImageRecord) -> None:
    """Copy what the image has at a new volume's target into it (docker docs, "Populate a volume")."""
    for point in points:
        if point.get("Type") == "volume" and "nocopy" not in (point.get("Mode") or "").split(","):
            await context.volumes.fill(point.get("Name") or "", point.get("Destination") or "", image.chain_id)


async def keep_volumes(context: Context, points: Iterable[MountPoint]) -> None:
    """Let a container's volumes be its own, now that it has a record."""
    for point in points:
        if point.get("Type") == "volume":
            await context.volumes.keep(point.get("Name") or "")


async def remove_anonymous(context: Context, container: Container) -> None:
    """Remove the volumes that were made for this container alone and have no name of their own."""
    for point in container.spec.mounts:
        if point.get("Type") == "volume" and point.get("Name"):
            await context.volumes.remove_if_anonymous(point.get("Name") or "")
