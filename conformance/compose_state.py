"""What there is of a Compose project in an engine, in a form in which two engines can be compared."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from bench.raw_http import Connection

State = dict[str, dict[str, Any]]
"""By ``kind name``: what was asked of it."""

_PREFIX = "com.docker.compose."
# The version of what made it, the image by an identifier of the engine's own, what built it, and a hash of ours.
_OWN_LABELS = {f"{_PREFIX}version", f"{_PREFIX}image", f"{_PREFIX}image.builder", "wharf.compose.declared-hash"}
_DEPENDS_ON = f"{_PREFIX}depends_on"  # its order is that of a map of Go's
_CONFIG = ("User", "WorkingDir", "Entrypoint", "Cmd", "Tty", "OpenStdin", "StopSignal", "StopTimeout", "Domainname")
_HOST = (
     "Memory", "MemoryReservation", "NanoCpus", "CpuShares", "CpuQuota", "CpusetCpus", "PidsLimit",
    "Privileged", "ReadonlyRootfs", "CapAdd", "CapDrop", "Dns", "DnsSearch", "ExtraHosts", "GroupAdd",
    "PidMode", "UTSMode", "UsernsMode", "Sysctls", "Tmpfs", "Init", "PortBindings", "OomScoreAdj",
    "Annotations",
)  # fmt: skip


def look(connection: Connection, project: str) -> State:
    """Return a project's containers, networks and volumes."""
    state: State = {}
    query = f"filters={quote(json.dumps({'label': [f'{_PREFIX}project={project}']}))}"
    listed = connection.json("GET", f"/containers/json?all=1&{query}")
    names = {one["Id"]: one["Names"][0].removeprefix("/") for one in listed}
    for identifier, name in names.items():
        state[f"container {name}"] = _container(connection.json("GET", f"/containers/{identifier}/json"), names)
    for one in connection.json("GET", f"/networks?{query}"):
        state[f"network {one['Name']}"] = {
            "driver": one["Driver"],
            "internal": one["Internal"],
            "options": one["Options"] or {},
            "labels": _labels(one["Labels"]),
        }
    for one in connection.json("GET", f"/volumes?{query}")["Volumes"] or []:
        state[f"volume {one['Name']}"] = {
            "driver": one["Driver"],
            "options": one["Options"] or {},
            "labels": _labels(one["Labels"]),
        }
    return state


def _container(found: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """Return what was asked of a container, with names for the identifiers of those that it shares with."""
    config, host = found["Config"], found["HostConfig"]
    networks = found["NetworkSettings"]["Networks"]
    modes = [host[f"{kind}Mode"] or "" for kind in ("Network", "Ipc", "Pid")]
    shared = [mode.removeprefix("container:") for mode in modes if mode.startswith("container:")]
    shared = [names.get(one, one) for one in shared + (host["VolumesFrom"] or [])]
    labels = _labels(config["Labels"])
    if shared:
        labels.pop(f"{_PREFIX}config-hash")  # identifiers are a part of it
    return {
        "image": config["Image"],
        "environment": sorted(config["Env"] or []),
        "labels": labels,
        "shares": shared,
        "healthcheck": config.get("Healthcheck"),
        "mounts": sorted(_mount(one) for one in found["Mounts"]),
        "networks": {name: _endpoint(one, found["Id"]) for name, one in networks.items()},
        "links": sorted(host["Links"] or []),
        "log": host["LogConfig"],
        # dockerd adds this one by itself where the host's processes are seen.
        "security": [one for one in host["SecurityOpt"] or [] if one != "label=disable"],
        # "no" has no name with engines before 25.
        "restart": {**host["RestartPolicy"], "Name": host["RestartPolicy"]["Name"] or "no"},
        **{name: config.get(name) or None for name in _CONFIG},
        **{name: host.get(name) or None for name in _HOST},
    }


def _endpoint(endpoint: dict[str, Any], container_id: str) -> dict[str, Any]:
    asked = (endpoint["IPAMConfig"] or {}) if endpoint.get("IPAMConfig") else {}
    aliases = {name for name in endpoint["Aliases"] or [] if name != container_id[:12]}
    return {"aliases": sorted(aliases), "asked": {key: value for key, value in asked.items() if value}}


def _mount(one: dict[str, Any]) -> list[object]:
    anonymous = one["Type"] == "volume" and len(one["Name"]) == 64
    source = "" if anonymous else one["Name"] if one["Type"] == "volume" else one.get("Source", "")
    return [one["Type"], source, one["Destination"], one["RW"]]


def _labels(labels: dict[str, str] | None) -> dict[str, str]:
    found = {name: value for name, value in (labels or {}).items() if name not in _OWN_LABELS}
    if _DEPENDS_ON in found:
        found[_DEPENDS_ON] = ",".join(sorted(found[_DEPENDS_ON].split(",")))
    return found


def differences(ours: State, theirs: State) -> list[str]:
    """Return in words how two states differ."""
    found = [
        f"{name} is there only with {'us' if name in ours else 'docker'}" for name in sorted({*ours} ^ {*theirs})
    ]
    for name in sorted({*ours} & {*theirs}):
        mine, other = ours[name], theirs[name]
        found += [
            f"{name}: {key}: {json.dumps(mine.get(key))} is {json.dumps(other.get(key))} there"
            for key in sorted({*mine, *other})
            if mine.get(key) != other.get(key)
        ]
    return found
