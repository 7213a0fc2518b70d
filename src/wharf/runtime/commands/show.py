"""state, list, ps, spec, features: what there is, and what there could be."""

from __future__ import annotations

import os
import sys

from wharf.errors import InvalidArgument, NotFound
from wharf.lib.light_json import dumps, dumps_pretty
from wharf.runtime.state import Folder, identifiers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from wharf.runtime.cli import Call, Given


def _print(text: str) -> int:
    if text:
        sys.stdout.write(text + "\n")
    return 0


def _one(call: Call, command: str) -> Folder:
    if len(call.arguments) != 1:
        raise InvalidArgument(f"{command} requires exactly 1 argument: the container's ID")
    return Folder(call.root, call.arguments[0])


def _format(given: Given) -> str:
    name: str = given.get("--format", "table")
    if name not in ("table", "json"):
        raise InvalidArgument(f"invalid format option: {name}")
    return name


def state(call: Call) -> int:
    """Print a container's state."""
    return _print(dumps_pretty(_one(call, "state").state(), indent="  "))


def list_(call: Call) -> int:
    """Print all containers."""
    ids = identifiers(call.root)
    if call.given.get("--quiet"):
        return _print("\n".join(ids))
    rows = []
    for name in ids:
        try:
            rows.append(Folder(call.root, name).state())
        except NotFound:
            continue  # it is being made, or has just gone
    if _format(call.given) == "json":
        return _print(dumps(rows))
    lines = [f"{'ID':<24}{'PID':<12}{'STATUS':<12}{'BUNDLE':<32}{'CREATED':<32}OWNER"]
    lines += [
        f"{r['id']:<24}{r['pid']:<12}{r['status']:<12}{r['bundle']:<32}{r['created']:<32}{r['owner']}" for r in rows
    ]
    return _print("\n".join(lines))


def ps(call: Call) -> int:
    """Print a container's processes as the host's ps shows them."""
    from wharf.kernel.cgroup.group import open_cgroup  # noqa: PLC0415 - start-up
    from wharf.kernel.process import run  # noqa: PLC0415 - start-up

    if not call.arguments:
        raise InvalidArgument("ps requires the container's ID")
    pids = open_cgroup(Folder(call.root, call.arguments[0]).load()["cgroup"]).procs()
    if _format(call.given) == "json":
        return _print(dumps(pids))
    done = run(["ps", *(call.arguments[1:] or ["-ef"])])
    if done.code:
        raise InvalidArgument(done.stderr.decode(errors="replace").strip())
    return _print("\n".join(rows_of(done.stdout.decode(errors="replace").splitlines(), pids)))


def rows_of(lines: Sequence[str], pids: Sequence[int]) -> list[str]:
    """Return the heading and the lines of these processes.

    Raises:
        InvalidArgument: there is no column PID.
    """
    heading = lines[0].split() if lines else []
    if "PID" not in heading:
        raise InvalidArgument("couldn't find PID field in ps output")
    at, wanted = heading.index("PID"), {str(pid) for pid in pids}
    return [lines[0], *(line for line in lines[1:] if (line.split() + [""] * (at + 1))[at] in wanted)]


def spec(call: Call) -> int:
    """Write a config.json to begin with."""
    from wharf.runtime import documents  # noqa: PLC0415 - start-up

    document = documents.default_spec()
    if call.given.get("--rootless"):
        document = documents.rootless(document, os.geteuid(), os.getegid())
    try:
        with open(os.path.join(call.given.get("--bundle", "."), "config.json"), "x", encoding="utf-8") as file:
            file.write(dumps_pretty(document) + "\n")
    except FileExistsError:
        raise InvalidArgument("File config.json exists. Remove it first") from None
    return 0


def features(call: Call) -> int:
    """Print what this runtime can do."""
    from wharf.runtime import documents  # noqa: PLC0415 - start-up

    if call.arguments:
        raise InvalidArgument("features takes no arguments")
    return _print(dumps_pretty(documents.features()))
