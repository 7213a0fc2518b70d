"""A service's volumes, secrets and configs as the Engine API's binds, mounts and tmpfs."""

from __future__ import annotations

from wharf.compose.model.mounts import FileReference, Mount
from wharf.compose.model.project import FileObject, Project
from wharf.compose.model.service import Service
from wharf.compose.plan.observed import Container
from wharf.errors import InvalidArgument

Document = dict[str, object]


def mounts_of(project: Project, service: Service, inherit: Container | None) -> list[Document]:
    """Return the mounts of a new container.

    Args:
        project: For the volumes' names.
        service: What it is to be.
        inherit: The container it replaces: its anonymous volumes are mounted again.
    """
    found = [_mount(project, mount) for mount in service.volumes]
    places = {str(one["Target"]) for one in found if one["Type"] != "volume" or one.get("Source")}
    for kind, name, place in inherit.mounts if inherit is not None else ():
        if kind == "volume" and place not in places and len(name) == 64:  # anonymous ones are named by 64 hex digits
            found = [one for one in found if one["Target"] != place]
            found.append({"Type": "volume", "Source": name, "Target": place})
    found += [_file(project.secrets[one.source], one, f"/run/secrets/{one.source}") for one in service.secrets
              if _is_bind(project.secrets[one.source], one)]  # fmt: skip
    found += [_file(project.configs[one.source], one, f"/{one.source}") for one in service.configs
              if _is_bind(project.configs[one.source], one)]  # fmt: skip
    return sorted(found, key=lambda one: str(one["Target"]))


def _is_bind(source: FileObject, one: FileReference) -> bool:
    """Return whether the host's file itself is mounted: nothing is to be changed about its owner or mode."""
    return bool(source.file) and not is_injected(source, one)


def is_injected(source: FileObject, one: FileReference) -> bool:
    """Return whether a copy is put into the container: it is no file, or has an owner or a mode of its own."""
    if source.external:
        raise InvalidArgument(
            f"unsupported external {one.source}: secrets and configs outside of a project need a swarm, "
            "which this engine is not"
        )
    return not source.file or bool(one.uid or one.gid or one.mode is not None)


def _file(source: FileObject, one: FileReference, default: str) -> Document:
    return {"Type": "bind", "Source": source.file, "Target": target_of(one, default), "ReadOnly": True,
            "BindOptions": {"CreateMountpoint": True}}  # fmt: skip


def target_of(one: FileReference, default: str) -> str:
    """Return where a secret or config is in the container; a name alone is below its default's folder."""
    target = one.target or default
    return target if target.startswith("/") else f"{default.rpartition('/')[0]}/{target}"


def _mount(project: Project, mount: Mount) -> Document:
    made: Document = {"Type": mount.type, "Target": mount.target}
    if mount.source:
        named = mount.type == "volume"
        made["Source"] = project.volumes[mount.source].name if named else mount.source
    if mount.read_only:
        made["ReadOnly"] = True
    if mount.consistency:
        made["Consistency"] = mount.consistency
    options = _options(mount)
    if options:
        made[f"{mount.type.capitalize()}Options"] = options
    return made


def _options(mount: Mount) -> Document:
    options: Document = {}
    if mount.bind is not None and mount.type == "bind":
        options = {"Propagation": mount.bind.propagation,
                   "CreateMountpoint": mount.bind.create_host_path is not False,
                   "NonRecursive": mount.bind.recursive == "disabled",
                   "ReadOnlyNonRecursive": mount.bind.recursive == "writable",
                   "ReadOnlyForceRecursive": mount.bind.recursive == "readonly"}  # fmt: skip
    elif mount.volume is not None and mount.type == "volume":
        options = {"NoCopy": mount.volume.nocopy, "Subpath": mount.volume.subpath, "Labels": mount.volume.labels}
    elif mount.tmpfs is not None and mount.type == "tmpfs":
        options = {"SizeBytes": int(mount.tmpfs.size), "Mode": mount.tmpfs.mode}
    elif mount.image is not None and mount.type == "image":
        options = {"Subpath": mount.image.subpath}
    return {key: value for key, value in options.items() if value}


def tmpfs_of(service: Service) -> dict[str, str]:
    """Return a service's ``tmpfs`` as place → options."""
    return {place: options for place, _, options in (text.partition(":") for text in service.tmpfs)}
