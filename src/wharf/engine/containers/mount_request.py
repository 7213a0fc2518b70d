"""-v, --mount, --tmpfs, --volumes-from and the image's VOLUMEs: what a request says of mounts. Pure."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import ContainerConfig, HostConfig, Mount, MountBindOptions

PROPAGATIONS: Final = frozenset({"private", "rprivate", "slave", "rslave", "shared", "rshared"})
_NO_OPS: Final = frozenset({"z", "Z", "consistent", "cached", "delegated", ""})  # nothing to do without SELinux
_TMPFS_OPTIONS: Final = ("exec", "noexec")
_OPTIONS_OF: Final = {
    "BindOptions": "bind",
    "VolumeOptions": "volume",
    "ImageOptions": "image",
    "TmpfsOptions": "tmpfs",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One mount as asked for."""

    type: str  # bind | volume | tmpfs | image
    source: str  # host path, volume name, image, or "" for an anonymous volume or a tmpfs
    target: str
    mode: str = ""
    read_only: bool = False
    propagation: str = ""
    copy: bool = True
    recursive: bool = True
    must_exist: bool = True
    options: tuple[str, ...] = ()
    read_only_below: bool | None = None  # what is mounted below it too; None: where the kernel can
    subpath: str = ""  # of a volume: the part of it that is mounted
    driver: str = ""  # of a new volume
    driver_options: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()


def wanted(config: ContainerConfig, host: HostConfig, inherited: Collection[str] = ()) -> list[Wanted]:
    """Return every mount that a request asks for, one for each target; the image's own volumes yield. Pure.

    ``inherited``: targets that --volumes-from brings, to which the image's volumes yield too.

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
    targets.update(inherited)
    for path in config.get("Volumes") or {}:
        if (
            target := _target(os.path.join("/", path), "volume", spec=path)
        ) not in targets:  # images have relative ones
            asked.append(Wanted("volume", "", target))
            targets.add(target)
    return asked


def parse_bind(text: str) -> Wanted:
    """Return "source:target[:options]" or "target" (docker run reference, "--volume"). Pure."""
    parts = text.split(":")
    if not all(parts[:2]) or len(parts) > 3:
        raise InvalidArgument(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        return Wanted("volume", "", _target(parts[0], "volume", spec=text))
    kind = "bind" if parts[0].startswith("/") else "volume"
    source, target, mode = parts[0], _target(parts[1], kind, spec=text), parts[2] if len(parts) == 3 else ""
    read_only, copy, propagation = False, True, ""
    for option in _words(mode):
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


def _words(mode: str) -> list[str]:
    """Return the words of a mode; InvalidArgument when two of them are of one kind."""
    words = mode.split(",")
    for kind in ({"ro", "rw"}, PROPAGATIONS, {"z", "Z"}, {"consistent", "cached", "delegated"}):
        if sum(word in kind for word in words) > 1:
            raise InvalidArgument(f"invalid mode: {mode}")
    return words


def from_mount(mount: Mount) -> Wanted:
    """Return one entry of HostConfig.Mounts. Pure."""
    kind = mount.get("Type") or ""
    for options, owner in _OPTIONS_OF.items():
        if dict(mount).get(options) is not None and owner != kind:
            raise InvalidArgument(f'{options} must not be specified on mount type "{kind}"')
    if not mount.get("Target"):
        raise InvalidArgument(f'invalid mount config for type "{kind}": field Target must not be empty')
    target = _target(mount.get("Target") or "", kind)
    if kind not in _OF_TYPE:
        raise InvalidArgument(f'invalid mount config for type "{kind}": mount type unknown')
    return _OF_TYPE[kind](mount, target)


def _tmpfs(mount: Mount, target: str) -> Wanted:
    if mount.get("Source"):
        raise InvalidArgument('invalid mount config for type "tmpfs": field Source must not be specified')
    options = mount.get("TmpfsOptions") or {}
    size, mode = options.get("SizeBytes"), options.get("Mode")
    given = ([f"size={size}"] if size else []) + ([f"mode={mode:o}"] if mode else [])
    for pair in options.get("Options") or []:
        if not 1 <= len(pair) <= 2 or not all(pair) or any("," in word for word in pair):
            raise InvalidArgument(
                f'invalid mount config for type "tmpfs": invalid option array length or text: {pair}'
            )
        if pair[0] not in _TMPFS_OPTIONS:
            raise InvalidArgument(f'invalid mount config for type "tmpfs": invalid option: {pair[0]}')
        given.append("=".join(pair))
    return Wanted("tmpfs", "", target, read_only=bool(mount.get("ReadOnly")), options=tuple(given))


def _volume(mount: Mount, target: str) -> Wanted:
    options = mount.get("VolumeOptions") or {}
    driver = options.get("DriverConfig") or {}
    subpath = options.get("Subpath") or ""
    if subpath and not mount.get("Source"):
        raise InvalidArgument(
            'invalid mount config for type "volume": must not set Subpath when using anonymous volumes'
        )
    return Wanted(
        "volume",
        mount.get("Source") or "",
        target,
        read_only=bool(mount.get("ReadOnly")),
        copy=not options.get("NoCopy"),
        subpath=_local(subpath, "volume"),
        driver=driver.get("Name") or "",
        driver_options=tuple((driver.get("Options") or {}).items()),
        labels=tuple((options.get("Labels") or {}).items()),
    )


def _local(subpath: str, kind: str) -> str:
    if subpath.startswith("/") or ".." in subpath.split("/"):
        told = "subpath must be a relative path within the volume"  # Docker says so of images, too
        raise InvalidArgument(f'invalid mount config for type "{kind}": {told}')
    return subpath


def _image(mount: Mount, target: str) -> Wanted:
    if not mount.get("Source"):
        raise InvalidArgument('invalid mount config for type "image": field Source must not be empty')
    subpath = (mount.get("ImageOptions") or {}).get("Subpath") or ""
    return Wanted("image", mount.get("Source") or "", target, read_only=True, subpath=_local(subpath, "image"))


def _bind(mount: Mount, target: str) -> Wanted:
    source = mount.get("Source") or ""
    if not source:
        raise InvalidArgument('invalid mount config for type "bind": field Source must not be empty')
    if not source.startswith("/"):
        raise InvalidArgument(
            f"invalid mount config for type \"bind\": invalid mount path: '{source}' mount path must be absolute"
        )
    bind = mount.get("BindOptions") or {}
    propagation = bind.get("Propagation") or "rprivate"
    if propagation not in PROPAGATIONS:
        raise InvalidArgument(f'invalid mount config for type "bind": invalid propagation mode: {propagation}')
    read_only = bool(mount.get("ReadOnly"))
    return Wanted(
        "bind",
        source,
        target,
        "",
        read_only,
        propagation,
        recursive=not bind.get("NonRecursive"),
        must_exist=not bind.get("CreateMountpoint"),
        read_only_below=_read_only_below(bind, propagation, read_only=read_only),
    )


def _read_only_below(bind: MountBindOptions, propagation: str, *, read_only: bool) -> bool | None:
    force, never = bool(bind.get("ReadOnlyForceRecursive")), bool(bind.get("ReadOnlyNonRecursive"))
    if (force or never) and not read_only:
        raise InvalidArgument('invalid mount config for type "bind": mount must be read-only to be so recursively')
    if force and (never or bind.get("NonRecursive") or propagation != "rprivate"):
        raise InvalidArgument(
            'invalid mount config for type "bind": ReadOnlyForceRecursive goes with recursive private mounts only'
        )
    return True if force else False if never else None


_OF_TYPE: Final[dict[str, Callable[[Mount, str], Wanted]]] = {
    "bind": _bind,
    "volume": _volume,
    "tmpfs": _tmpfs,
    "image": _image,
}


def parse_volumes_from(text: str) -> tuple[str, bool]:
    """Return container and whether its mounts are read-only of "container[:mode]". Pure."""
    name, _, mode = text.partition(":")
    if not name:
        raise InvalidArgument(
            'invalid name or ID supplied: ""' if text else "volumes-from specification cannot be an empty string"
        )
    read_only = False
    for option in mode.split(","):
        if option in ("ro", "rw"):
            read_only = option == "ro"
        elif option not in _NO_OPS:
            raise InvalidArgument(f"invalid mode: {mode}")
    return name, read_only


def _target(path: str, kind: str, *, spec: str = "") -> str:
    """Return a mount's place, checked; ``spec`` is how -v put it."""
    where = f"invalid volume specification: '{spec}': " if spec else ""
    if not path.startswith("/"):
        fault = f"invalid mount path: '{path}' mount path must be absolute"
        raise InvalidArgument(f'{where}invalid mount config for type "{kind}": {fault}')
    if (target := os.path.normpath(path)) == "/":
        fault = "invalid specification: destination can't be '/'"
        raise InvalidArgument(f'{where}invalid mount config for type "{kind}": {fault}')
    return target
