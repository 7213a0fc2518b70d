"""exec: its process from a file, or from the container's own and the options."""

from __future__ import annotations

from wharf.errors import InvalidArgument
from wharf.lib.light_json import loads
from wharf.runtime import operations, shape
from wharf.runtime.commands.lifecycle import asked
from wharf.runtime.state import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.runtime.cli import Call, Given
    from wharf.spec.oci_runtime import Capabilities, Process, User


def execute(call: Call) -> int:
    """Run one more process in a container."""
    if not call.arguments:
        raise InvalidArgument("exec requires the container's ID")
    folder = Folder(call.root, call.arguments[0])
    folder.load()
    words = call.arguments[1:]
    words = words[1:] if words[:1] == ["--"] else words
    process = (
        _from_file(call.given["--process"]) if call.given.get("--process") else _composed(folder, call.given, words)
    )
    cgroup = _cgroup(call.given.get("--cgroup", []))
    ignore_paused = call.given.get("--ignore-paused", False)
    return operations.exec_(folder, process, asked(call), cgroup=cgroup, ignore_paused=ignore_paused)


def _from_file(path: str) -> Process:
    with open(path, encoding="utf-8") as file:
        document = loads(file.read())
    shape.check(document, shape.PROCESS)
    return document  # type: ignore[return-value]  # just checked


def _composed(folder: Folder, given: Given, words: list[str]) -> Process:
    process: Process = {**(folder.spec().get("process") or {})}  # a shallow copy
    if not words:
        raise InvalidArgument("exec requires a command, or --process")
    process["args"] = words
    process["terminal"] = given.get("--tty", False)
    process["cwd"] = given.get("--cwd") or process.get("cwd") or "/"
    process["env"] = [*(process.get("env") or ()), *given.get("--env", ())]
    if given.get("--user") or given.get("--additional-gids"):
        process["user"] = _user(process.get("user") or {}, given)
    if given.get("--process-label"):
        process["selinuxLabel"] = given["--process-label"]
    if given.get("--apparmor"):
        process["apparmorProfile"] = given["--apparmor"]
    if given.get("--no-new-privs"):
        process["noNewPrivileges"] = True
    if given.get("--cap"):
        process["capabilities"] = _more(process.get("capabilities") or {}, given["--cap"])
    return process


def _user(present: User, given: Given) -> User:
    user: User = {**present}
    if text := given.get("--user"):
        uid, _, gid = text.partition(":")
        if not uid.isdigit() or (gid and not gid.isdigit()):
            raise InvalidArgument(f"invalid user {text}: wanted uid[:gid]")
        user = {"uid": int(uid), "gid": int(gid or 0)}
    extra: list[str] = given.get("--additional-gids", [])
    if not all(gid.isdigit() for gid in extra):
        raise InvalidArgument(f"invalid group in {extra}: wanted a number")
    user["additionalGids"] = [*(present.get("additionalGids") or ()), *map(int, extra)]
    return user


def _more(present: Capabilities, names: list[str]) -> Capabilities:
    """Add capabilities to the sets that count for a program without any of its own."""
    result: Capabilities = {**present}
    result["bounding"] = [*(present.get("bounding") or ()), *names]
    result["effective"] = [*(present.get("effective") or ()), *names]
    result["permitted"] = [*(present.get("permitted") or ()), *names]
    return result


def _cgroup(words: list[str]) -> dict[str, str]:
    """Return paths below the container's group by controller; "" is all of them ("cpu,memory:path", or "path")."""
    found: dict[str, str] = {}
    for word in words:
        controllers, colon, path = word.rpartition(":")
        for controller in controllers.split(",") if colon else ("",):
            if controller in found or ".." in path.split("/") or (colon and not controller):
                raise InvalidArgument(f"invalid --cgroup {word}: wanted path, or controller[,controller...]:path")
            found[controller] = path
    return found
