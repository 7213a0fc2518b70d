"""Our config.json as other runtimes take it: without what only our own knows (runtime-spec, config.md)."""

from __future__ import annotations

from wharf.runtime import account
from wharf.runtime.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from wharf.spec.oci_runtime import Mount, Process, Spec

_OURS: Final = "wharf."  # what options of mounts begin with that only our runtime knows
_LAYER: Final = "lowerdir+="


def document(spec: Spec, *, root: int, path: str, cgroup: str) -> dict[str, Any]:
    """Return config.json for another runtime.

    Args:
        spec: ours.
        root: descriptor of the mounted root, in which names of users are looked up.
        path: where that is mounted.
        cgroup: path of the control group.

    Raises:
        StartFailed: the container asks for what only our runtime can do, or for a user it has not.
    """
    found: dict[str, Any] = {**spec, "root": {**(spec.get("root") or {}), "path": path}}
    if own := spec.get("process"):
        found["process"] = process(own, root)
    found["mounts"] = [_mount(one) for one in spec.get("mounts") or ()]
    found["linux"] = {**(spec.get("linux") or {}), "cgroupsPath": cgroup}
    if not found.get("hooks"):
        found.pop("hooks", None)
    return found


def process(own: Process, root: int) -> dict[str, Any]:
    """Return a process with its user as numbers.

    Raises:
        StartFailed: the container has no such user or group.
    """
    who = account.look_up(root, own.get("user") or {})
    return {**own, "user": {"uid": who.uid, "gid": who.gid, "additionalGids": who.groups}}


def _mount(one: Mount) -> dict[str, Any]:
    options = one.get("options") or []
    if ours := [option for option in options if option.startswith(_OURS)]:
        raise invalid(f"a mount like that at {one['destination']} ({ours[0]}) needs wharf's own runtime")
    if layers := [option.removeprefix(_LAYER) for option in options if option.startswith(_LAYER)]:
        options = [*(o for o in options if not o.startswith(_LAYER)), f"lowerdir={':'.join(layers)}"]
    return {**one, "options": options}
