"""A running container's control group: pause, resume, update, measure."""

from __future__ import annotations

import select

from wharf.errors import Conflict, InvalidArgument
from wharf.kernel.cgroup.group import open_cgroup
from wharf.runtime import devices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from wharf.kernel.cgroup.details import Counter, Details
    from wharf.kernel.cgroup.group import Cgroup
    from wharf.kernel.cgroup.measure import Use
    from wharf.runtime.state import Folder
    from wharf.spec.oci_runtime import Resources, Spec

_MILLISECONDS = 1000
_UNLIMITED = (1 << 64) - 1


def pause(folder: Folder) -> None:
    """Freeze all processes of a container.

    Raises:
        Conflict: it does not run.
    """
    record = folder.load()
    status = folder.status(record)
    if status not in ("running", "created"):
        raise Conflict(f"cannot pause a container that is not running: {status}")
    open_cgroup(record["cgroup"]).freeze()


def resume(folder: Folder) -> None:
    """Let a paused container go on.

    Raises:
        Conflict: it is not paused.
    """
    record = folder.load()
    status = folder.status(record)
    if status != "paused":
        raise Conflict(f"cannot resume a container that is not paused: {status}")
    open_cgroup(record["cgroup"]).thaw()


def update(folder: Folder, resources: Resources) -> None:
    """Change a container's limits, which have the specification's shape, and remember them.

    Raises:
        Conflict: it does not run.
        OSError: the kernel refused one.
    """
    record = folder.load()
    status = folder.status(record)
    if status not in ("running", "created", "paused"):
        raise Conflict(f"cannot update a container that is not running: {status}")
    asked = dict(resources)
    if rules := resources.get("devices"):
        asked["devices"] = [*rules, *devices.DEFAULT_RULES]
    open_cgroup(record["cgroup"]).apply(asked)
    spec = folder.spec()
    folder.save_spec(merged(spec, resources))


def update_class(folder: Folder, cache: str, bandwidth: str) -> None:
    """Change the schemata of a container's class of service (Intel RDT).

    Raises:
        InvalidArgument: it was created without one, or a schema cannot be meant.
        Unavailable: no resctrl file system is mounted.
        OSError: the kernel refused one.
    """
    from wharf.runtime import resctrl  # noqa: PLC0415 - start-up

    wanted = (folder.spec().get("linux") or {}).get("intelRdt")
    if not wanted:
        raise InvalidArgument("the container was created without linux.intelRdt")
    lines = resctrl.lines_of({"l3CacheSchema": cache, "memBwSchema": bandwidth})
    resctrl.write_lines(resctrl.Class(wanted, folder.id).place(resctrl.find()), lines)


def merged(spec: Spec, resources: Resources) -> Spec:
    """Return ``spec`` with ``resources`` over its own, field by field."""
    linux: dict[str, Any] = {**(spec.get("linux") or {})}
    present: dict[str, Any] = {**(linux.get("resources") or {})}
    for key, value in resources.items():
        present[key] = {**present[key], **value} if isinstance(value, dict) and key in present else value
    return {**spec, "linux": {**linux, "resources": present}}  # type: ignore[typeddict-item]  # the same fields


def events(folder: Folder, interval_s: float | None) -> Iterator[dict[str, Any]]:
    """Yield a container's events, as runc prints them: "stats" at once and each interval, "oom" when memory lacks.

    Args:
        folder: the container's.
        interval_s: None ends after the first.

    Raises:
        Conflict: it does not run.
    """
    record = folder.load()
    if folder.status(record) not in ("running", "created", "paused"):
        raise Conflict("container is not running")
    group = open_cgroup(record["cgroup"])
    yield {"type": "stats", "id": folder.id, "data": _measured(group)}
    if interval_s is None:
        return
    watch, wanted = group.open_oom_watch()
    poll = select.poll()
    poll.register(watch, wanted)
    kills = group.oom_kill_count()
    while folder.status(record) != "stopped":
        poll.poll(interval_s * _MILLISECONDS)
        _drain(watch, wanted)
        if (count := _count(group, kills)) > kills:
            kills = count
            yield {"type": "oom", "id": folder.id}
            continue
        yield {"type": "stats", "id": folder.id, "data": _measured(group)}


def _count(group: Cgroup, otherwise: int) -> int:
    return group.oom_kill_count() if group.exists else otherwise


def _drain(watch: int, wanted: int) -> None:
    import os  # noqa: PLC0415 - for a watch alone

    try:
        if wanted == select.POLLIN:
            os.read(watch, 8)
        else:
            os.pread(watch, 4096, 0)
    except OSError:  # EAGAIN: only the time was up; ENODEV: the group has gone
        return


def _measured(group: Cgroup) -> dict[str, Any]:
    return stats(group.stats(), group.details())


def stats(use: Use, more: Details) -> dict[str, Any]:
    """Return measurements as ``runc events`` prints them."""
    cpu, memory, pids, blkio = use["cpu"], use["memory"], use["pids"], use["blkio"]
    pressure = {kind: {"psi": told} for kind, told in use["pressure"].items()}
    return {
        "cpu": {
            "usage": {
                "total": cpu["usage_ns"],
                "percpu": cpu["percpu_ns"],
                "percpu_kernel": more["system_percpu_ns"],
                "percpu_user": more["user_percpu_ns"],
                "kernel": cpu["system_ns"],
                "user": cpu["user_ns"],
            },
            "throttling": {
                "periods": cpu["periods"],
                "throttledPeriods": cpu["throttled_periods"],
                "throttledTime": cpu["throttled_ns"],
            },
            **pressure.get("cpu", {}),
        },
        "cpuset": more["cpuset"],
        "memory": {
            "cache": memory["stat"].get("cache", memory["stat"].get("file", 0)),
            "usage": {
                "limit": _limit(memory["limit_bytes"]),
                "usage": memory["usage_bytes"],
                "max": memory["max_usage_bytes"],
                "failcnt": memory["fail_count"],
            },
            "swap": _counter(more["swap"]),
            "kernel": _counter(more["kernel"]),
            "kernelTCP": _counter(more["kernel_tcp"]),
            "raw": memory["stat"],
            **pressure.get("memory", {}),
        },
        "pids": {"current": pids["current"], "limit": pids["limit"] or 0},
        "blkio": {
            "ioServiceBytesRecursive": blkio["service_bytes"],
            "ioServicedRecursive": blkio["serviced"],
            **pressure.get("io", {}),
        },
        "hugetlb": {size: _without_limit(counter) for size, counter in more["hugetlb"].items()},
        "intel_rdt": {},
        "network_interfaces": None,
    }


def _limit(value: int | None) -> int:
    return _UNLIMITED if value is None else value


def _counter(counter: Counter) -> dict[str, int]:
    return {"limit": _limit(counter["limit"]), **_without_limit(counter)}


def _without_limit(counter: Counter) -> dict[str, int]:
    return {"usage": counter["usage"], "max": counter["max"], "failcnt": counter["fail_count"]}
