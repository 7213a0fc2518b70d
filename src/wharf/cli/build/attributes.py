"""A build's flags as options of BuildKit's Dockerfile frontend (frontend/dockerui), and what they lend to it."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence

from wharf.cli.build.command import LIMITS
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.flags import Values

_REMOTE = ("http://", "https://", "git://", "ssh://", "git@", "docker-image://", "oci-layout://")


def attributes_of(values: Values, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the options that flags alone decide.

    Raises:
        InvalidArgument: one is malformed.
    """
    found = {
        "target": values.text("target"),
        "platform": values.text("platform"),
        "force-network-mode": {"default": ""}.get(values.text("network"), values.text("network")),
        "cgroup-parent": values.text("cgroup-parent"),
        **{name: str(values.number(flag) or "") for name, flag in LIMITS.items()},
        "cpusetcpus": values.text("cpuset-cpus"),
        "cpusetmems": values.text("cpuset-mems"),
        "add-hosts": ",".join(_host(text) for text in values.items("add-host")),
        "ulimit": ",".join(values.items("ulimit")),
        "image-resolve-mode": "pull" if values.on("pull") else "",
        "shm-size": str(values.number("shm-size") or ""),
        "memory": str(values.number("memory") or ""),
    }
    found = {name: value for name, value in found.items() if value}
    if values.on("no-cache"):
        found["no-cache"] = ""
    elif names := values.items("no-cache-filter"):
        found["no-cache"] = ",".join(names)
    for text in values.items("build-arg"):
        name, equals, value = text.partition("=")
        if equals or name in environment:
            found[f"build-arg:{name}"] = value if equals else environment[name]
    found |= attests_of(values.items("attest"), values.text("provenance"), values.text("sbom"))
    for text in values.items("label"):
        name, _, value = text.partition("=")
        found[f"label:{name}"] = value
    return found


def grants_of(asked: Sequence[str], network: str) -> list[str]:
    """Return what commands may do beyond their sandbox: the host's network for all grants it to each."""
    return sorted({*asked, *(("network.host",) if network == "host" else ())})


def attests_of(texts: Sequence[str], provenance: str, sbom: str) -> dict[str, str]:
    """Return what is to be said of the result (``--attest``, ``--provenance``, ``--sbom``) as options.

    Raises:
        InvalidArgument: one is malformed.
    """
    asked = list(texts)
    for kind, value in (("provenance", provenance), ("sbom", sbom)):
        match value:
            case "":
                continue
            case "true":
                asked.append(f"type={kind}")
            case "false":
                asked.append(f"type={kind},disabled=true")
            case _:
                asked.append(f"type={kind},{value}")
    found = {}
    for text in asked:
        fields = _fields(text, "attestation")
        kind = fields.pop("type", "")
        if not kind:
            raise InvalidArgument(f"type is required for an attestation: {text}")
        found[f"attest:{kind}"] = ",".join(f"{name}={value}" for name, value in fields.items())
    return found


def annotations_of(texts: Sequence[str]) -> dict[str, str]:
    """Return ``--annotation [LEVEL[PLATFORM]:]KEY=VALUE`` as options of exporters; levels are separated by commas.

    Raises:
        InvalidArgument: one is malformed.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise InvalidArgument(f"invalid annotation {text}: expected KEY=VALUE")
        levels, colon, key = name.partition(":")
        for level in levels.split(",") if colon else [""]:
            kind, bracket, platform = level.partition("[")
            plain = "annotation" if kind in ("", "manifest") else f"annotation-{kind}"
            found[f"{plain}{bracket}{platform}.{key if colon else name}"] = value
    return found


def _host(text: str) -> str:
    """Return ``name:address``, or ``name=address``, as the second."""
    if "=" in text:
        return text
    name, colon, address = text.partition(":")
    if not colon or not address:
        raise InvalidArgument(f"invalid host {text}")
    return f"{name}={address}"


def contexts_of(texts: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return ``--build-context`` as options, and the folders that they name.

    Raises:
        InvalidArgument: one is malformed, or no such folder.
    """
    options: dict[str, str] = {}
    folders: dict[str, str] = {}
    for text in texts:
        name, equals, where = text.partition("=")
        if not equals or not where:
            raise InvalidArgument(f"invalid context value: {text}, expected key=value")
        if where.startswith(_REMOTE):
            options[f"context:{name}"] = where
            continue
        if not os.path.isdir(where):
            raise InvalidArgument(f'failed to get build context path {text}: "{where}" is no folder')
        folders[name] = os.path.abspath(where)
        options[f"context:{name}"] = f"local:{name}"
    return options, folders


def secrets_of(texts: Sequence[str], environment: Mapping[str, str]) -> dict[str, Callable[[], bytes]]:
    """Return ``--secret id=…[,src=…|,env=…]`` as what reads them, by id.

    Raises:
        InvalidArgument: one is malformed, or its file or variable does not exist.
    """
    found: dict[str, Callable[[], bytes]] = {}
    for text in texts:
        fields = _fields(text, "secret")
        name, path, variable = fields.get("id", ""), fields.get("src") or fields.get("source"), fields.get("env")
        if unknown := fields.keys() - {"id", "src", "source", "env", "type"}:
            raise InvalidArgument(f"unexpected key '{min(unknown)}' in '{text}'")
        if not name:
            raise InvalidArgument(f"secret missing id: {text}")
        if variable is None and path is None and name in environment:
            variable = name
        if variable is not None:
            if variable not in environment:
                raise InvalidArgument(f"secret {name}: the variable {variable} is not set")
            found[name] = _constant(os.fsencode(environment[variable]))
        else:
            found[name] = _file(name, path or name)
    return found


def _constant(value: bytes) -> Callable[[], bytes]:
    return lambda: value


def _file(name: str, path: str) -> Callable[[], bytes]:
    if not os.path.isfile(path):
        raise InvalidArgument(f"failed to stat {path}: secret {name} has no such file")

    def read() -> bytes:
        with open(path, "rb") as file:
            return file.read()

    return read


def agents_of(texts: Sequence[str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``--ssh default|ID[=SOCKET]`` as sockets by id.

    Raises:
        InvalidArgument: there is no agent, or a private key is named: keys are lent by an agent.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        socket = path if equals else environment.get("SSH_AUTH_SOCK", "")
        if not socket:
            raise InvalidArgument(f"invalid empty ssh agent socket, make sure SSH_AUTH_SOCK is set: {text}")
        if os.path.isfile(socket):
            raise InvalidArgument(f"{socket} is a file: add the key to an SSH agent, and name the agent's socket")
        found[name] = socket
    return found


def _fields(text: str, what: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in next(csv.reader([text]), []):
        name, equals, value = one.partition("=")
        if not equals:
            raise InvalidArgument(f"invalid {what} field '{one}': must be a key=value pair")
        found[name.strip().lower()] = value
    return found
