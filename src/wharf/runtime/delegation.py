"""Whose a container's control group is (config-linux.md "Cgroup ownership"): who sees it as its own may divide it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wharf.spec.oci_runtime import IDMapping, Mount, Spec


def owner(spec: Spec) -> int | None:
    """Return the host's id of the user that a container's group is to belong to; None: it stays the runtime's.

    That is who runs the container's process, where it has a cgroup namespace of its own, and writable groups.
    """
    linux = spec.get("linux") or {}
    own = {entry["type"] for entry in linux.get("namespaces") or () if not entry.get("path")}
    joined = {entry["type"] for entry in linux.get("namespaces") or () if entry.get("path")}
    if "cgroup" not in own or "user" in joined or not _is_writable(spec.get("mounts") or ()):
        return None
    uid = ((spec.get("process") or {}).get("user") or {}).get("uid", 0)
    return on_host(uid, linux.get("uidMappings") or ()) if "user" in own else uid


def _is_writable(mounts: Iterable[Mount]) -> bool:
    return any(
        one.get("source") == "cgroup"
        and one["destination"].rstrip("/") == "/sys/fs/cgroup"
        and "ro" not in (one.get("options") or ())
        for one in mounts
    )


def on_host(number: int, mappings: Iterable[IDMapping]) -> int | None:
    """Return the host's id of a container's, by its mappings; None: it has none."""
    for entry in mappings:
        offset = number - entry["containerID"]
        if 0 <= offset < entry["size"]:
            return entry["hostID"] + offset
    return None
