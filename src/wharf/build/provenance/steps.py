"""A graph as the list of steps that provenance has: BuildKit's operations in JSON (BuildKit, solver/pb/ops.proto)."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Final

from wharf.build.graph.operations import (
    Build,
    Copy,
    Diff,
    Exec,
    File,
    FileAction,
    MakeFile,
    MakeFolder,
    MakeLink,
    Merge,
    Mount,
    Owner,
    Remove,
    Source,
)
from wharf.build.graph.vertex import Edge, Vertex, walk
from wharf.build.llb.builds import DEFINITION, FILENAME, LLB

Document = dict[str, object]
_NETWORKS: Final = {"host": 1, "none": 2}
_MOUNTS: Final = {"secret": 1, "ssh": 2, "cache": 3, "tmpfs": 4}


def steps_of(target: Edge) -> Document:
    """Return the steps of a graph, inputs before what needs them, and which digest is which."""
    names: dict[str, str] = {}
    steps: list[Document] = []
    for vertex in walk(target):
        names[vertex.digest] = f"step{len(names)}"
        step: Document = {"id": names[vertex.digest], "op": _operation(vertex)}
        if vertex.inputs:
            step["inputs"] = [f"{names[one.vertex.digest]}:{one.index}" for one in vertex.inputs]
        steps.append(step)
    return {"llbDefinition": steps, "digestMapping": names}


def locations_of(target: Edge, names: Mapping[str, str]) -> Document:
    """Return the lines of the Dockerfile that each step is of."""
    found: Document = {}
    for vertex in walk(target):
        first, last = vertex.description.lines
        if first:
            ranges = [{"start": {"line": line}, "end": {"line": line}} for line in range(first, last + 1)]
            found[names[vertex.digest]] = {"locations": [{"ranges": ranges}]}
    return found


def _operation(vertex: Vertex) -> Document:
    found: Document = {"Op": _kind(vertex)}
    if vertex.platform:
        system, _, rest = vertex.platform.partition("/")
        architecture, _, variant = rest.partition("/")
        platform = {"OS": system, "Architecture": architecture}
        found["platform"] = {**platform, "Variant": variant} if variant else platform
    return found


def _kind(vertex: Vertex) -> Document:
    match vertex.operation:
        case Source() as source:
            document: Document = {"identifier": source.identifier}
            if source.attributes:
                document["attrs"] = dict(source.attributes)
            return {"source": document}
        case Exec() as command:
            return {"exec": _exec(command)}
        case File(actions=actions, base=base):
            return {"file": {"actions": _actions(actions, base, len(vertex.inputs))}}
        case Merge():
            return {"merge": {"inputs": [{"input": number} for number in range(len(vertex.inputs))]}}
        case Diff(lower=lower, upper=upper):
            return {"diff": {"lower": {"input": lower}, "upper": {"input": upper}}}
        case Build(path=path):
            own = {"builder": LLB, "inputs": {DEFINITION: {"input": 0}}, "attrs": {FILENAME: path}}
            return {"build": own}


def _exec(command: Exec) -> Document:
    meta: Document = {"args": list(command.args), "env": list(command.env), "cwd": command.cwd}
    if command.user:
        meta["user"] = command.user
    if command.exit_codes:
        meta["validExitCodes"] = list(command.exit_codes)
    document: Document = {"meta": meta, "mounts": [_mount(one) for one in command.mounts]}
    if network := _NETWORKS.get(command.network):
        document["network"] = network
    if command.security == "insecure":
        document["security"] = 1
    if command.secret_env:
        document["secretenv"] = [
            {"ID": one.id, "name": one.name, "optional": one.optional} for one in command.secret_env
        ]
    return document


def _mount(mount: Mount) -> Document:
    document: Document = {"input": mount.input, "dest": mount.target, "output": mount.output}
    if mount.selector:
        document["selector"] = mount.selector
    if mount.read_only:
        document["readonly"] = True
    if kind := _MOUNTS.get(mount.type):
        document["mountType"] = kind
    if mount.type == "cache":
        document["cacheOpt"] = {"ID": mount.id}
    elif mount.type in ("secret", "ssh"):
        name = "secretOpt" if mount.type == "secret" else "SSHOpt"
        document[name] = {"ID": mount.id, "optional": mount.optional}
    return document


def _actions(actions: tuple[FileAction, ...], base: int, inputs: int) -> list[Document]:
    """Return actions, each on what the one before has left."""
    found = []
    for number, action in enumerate(actions):
        place = base if number == 0 else inputs + number - 1
        source = action.input if isinstance(action, Copy) else -1
        output = 0 if number == len(actions) - 1 else -1
        found.append({"input": place, "secondaryInput": source, "output": output, "Action": _action(action)})
    return found


def _action(action: FileAction) -> Document:
    match action:
        case Copy():
            return {"copy": {
                "src": action.source, "dest": action.destination, "followSymlink": action.follow_links,
                "dirCopyContents": action.contents_only, "attemptUnpackDockerCompatibility": action.unpack,
                "createDestPath": action.create_parents, "allowWildcard": action.wildcards,
                "allowEmptyWildcard": action.allow_empty, "modeStr": action.mode, **_owned(action.owner),
            }}  # fmt: skip
        case MakeFile():
            data = base64.b64encode(action.content).decode()
            return {"mkfile": {"path": action.path, "mode": action.mode, "data": data, **_owned(action.owner)}}
        case MakeFolder():
            made = {"path": action.path, "mode": action.mode, "makeParents": action.parents}
            return {"mkdir": {**made, **_owned(action.owner)}}
        case MakeLink():
            return {"symlink": {"oldpath": action.target, "newpath": action.path, **_owned(action.owner)}}
        case Remove():
            gone = {"allowNotFound": action.allow_missing, "allowWildcard": action.wildcards}
            return {"rm": {"path": action.path, **gone}}


def _owned(owner: Owner | None) -> Document:
    if owner is None:
        return {}
    accounts = {"user": owner.user, "group": owner.user if owner.group is None else owner.group}
    return {"owner": {name: _account(value) for name, value in accounts.items()}}


def _account(value: str | int) -> Document:
    return {"User": {"byName": {"name": value}} if isinstance(value, str) else {"byID": value}}
