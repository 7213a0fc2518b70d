"""What an example leaves out, so that it can be brought up: images, folders to build, files, and what it refers to.

An example in a text shows one thing. Files that it names are written beside it; all else is in a second Compose file,
which is merged after it. What is not there at all (a plugin, a disk, a repository, what a swarm keeps) has a stand-in
that is there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

OVERRIDE = "stand-in.yaml"
_KEPT = "stand-in.txt"  # for secrets and configs that are kept outside
_SERVICE = {"image": "busybox", "command": ["sleep", "1000"], "stop_grace_period": "0s"}
_HEALTHY = {"test": ["CMD", "true"], "interval": "1s"}
_HAS_IMAGE = {"image", "build", "provider", "extends"}
_DOCKERFILE = 'FROM busybox AS {target}\nCMD ["sleep", "1000"]\n'
_NAMED = re.compile(r"([A-Za-z0-9][\w.-]*):/")


class _Loader(yaml.SafeLoader):
    """Takes ``!reset`` and ``!override`` for the values that they mark."""


_Loader.add_multi_constructor("!", lambda loader, _, node: _plain(loader, node))


def _plain(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]  # there are no other kinds


def complete(path: Path) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Write what a Compose file lacks beside it.

    Returns:
        The name of the file that is to be merged after it, empty for none, and (kind, name) of the networks and
        volumes that have to be there already.
    """
    try:
        document = yaml.load(path.read_text(), _Loader)  # noqa: S506  # it is a safe one
    except yaml.YAMLError:
        return "", ()
    services = document.get("services")
    if not isinstance(services, dict):
        services = {}
    services = {name: one for name, one in services.items() if isinstance(one, dict)}
    for name, text in _files(document, services):
        _write(path.parent, name, text)
    more = _missing(document, services)
    _stand_in(more, document, services)
    (path.parent / OVERRIDE).write_text(_yaml(more))
    return OVERRIDE, tuple(_external(document))


class _Instead(dict[str, Any]):
    """Takes the place of what an example says, where other mappings are merged with it."""


def _yaml(value: object) -> str:
    """Return a value as YAML."""
    if not isinstance(value, dict):
        return json.dumps(value)
    text = ",\n".join(f"{json.dumps(key)}: {_yaml(one)}" for key, one in value.items())
    return f"!override {{{text}}}" if isinstance(value, _Instead) else f"{{{text}}}"


def _write(folder: Path, name: str, text: str) -> None:
    """Write a file that is not there yet, unless it would be elsewhere."""
    file = (folder.parent / name[2:] if name.startswith("~/") else folder / name).resolve()
    if file.is_relative_to(folder.parent.resolve()) and not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _files(document: Mapping[str, Any], services: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for service in services.values():
        for key in ("env_file", "label_file"):
            yield from ((name, "A=1\n") for name in _paths(service.get(key)))
        extends = service.get("extends")
        if isinstance(extends, dict) and "file" in extends:
            yield extends["file"], json.dumps({"services": {extends["service"]: _SERVICE}})
        yield from _built(service.get("build"))
    for number, one in enumerate(document.get("include") or []):
        for name in _paths(one):
            yield name, json.dumps({"services": {f"included{number}": _SERVICE}})
        if isinstance(one, dict):
            yield from ((name, "A=1\n") for name in _paths(one.get("env_file")))
    yield _KEPT, "a stand-in\n"
    yield from ((f"{part}/there", "a file of a part\n") for _, part in _parts(services))
    for kind in ("secrets", "configs"):
        for one in (document.get(kind) or {}).values():
            if isinstance(one, dict) and "file" in one:
                yield one["file"], "a stand-in\n"


def _built(build: Any) -> Iterator[tuple[str, str]]:
    described: dict[str, Any] = build if isinstance(build, dict) else {"context": build}
    described = {**described, **_built_here(build).get("build", {})}
    contexts = described.get("additional_contexts") or {}
    named = contexts.values() if isinstance(contexts, dict) else [text.partition("=")[2] for text in contexts]
    folders = [one for one in (described.get("context"), *named) if isinstance(one, str) and "://" not in one]
    text = _DOCKERFILE.format(target=described.get("target") or "only")
    context = str(described.get("context") or ".")
    if build is not None and "dockerfile_inline" not in described and "://" not in context:
        yield f"{context}/{described.get('dockerfile') or 'Dockerfile'}", text
    yield from ((f"{folder}/there", "a file of the context\n") for folder in folders)


def _paths(value: object) -> list[str]:
    """Return the paths of an attribute that is one, several, or has them in mappings."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return _paths(value.get("path"))
    return [path for one in value for path in _paths(one)] if isinstance(value, list) else []


def _missing(document: Mapping[str, Any], services: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {"services": {}}
    for name, service in services.items():
        if not _HAS_IMAGE & service.keys():
            found["services"].setdefault(name, {}).update(_SERVICE)
        for other, how in _dependencies(service):
            if other not in services:
                found["services"][other] = {**_SERVICE}
            if how == "service_healthy" and "healthcheck" not in services.get(other, {}):
                found["services"].setdefault(other, {})["healthcheck"] = _HEALTHY
        for kind, other in _referred(service):
            if other not in (document.get(kind) or {}):
                found.setdefault(kind, {})[other] = {"model": "ai/stand-in"} if kind == "models" else {}
    return found


def _stand_in(found: dict[str, dict[str, Any]], document: Mapping[str, Any], services: Mapping[str, Any]) -> None:
    """Say what stands in for what is not there."""
    _stand_in_for_resources(found, document)
    for source, _ in _parts(services):
        there = {"type": "none", "o": "bind", "device": "./"}
        found.setdefault("volumes", {})[source] = {"driver": "local", "driver_opts": there}
    for name, service in services.items():
        more = {**_on_this_disk(service), **_built_here(service.get("build"))}
        if name != name.lower() and "build" in service and "image" not in service:
            more["image"] = "stand-in"  # a name for it cannot be made of the service's
        if more:
            found["services"].setdefault(name, {}).update(more)


def _stand_in_for_resources(found: dict[str, dict[str, Any]], document: Mapping[str, Any]) -> None:
    for kind in ("secrets", "configs"):
        for name, one in (document.get(kind) or {}).items():
            if isinstance(one, dict) and one.get("external"):
                found.setdefault(kind, {})[name] = _Instead(file=_KEPT)
    for kind, drivers in (("networks", ("bridge", "default", "host", "none")), ("volumes", ("local", "default"))):
        for name, one in (document.get(kind) or {}).items():
            if isinstance(one, dict) and one.get("driver", "default") not in drivers:
                found.setdefault(kind, {})[name] = _Instead(driver=drivers[0])


def _parts(services: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each volume of which a service wants a part only, and the part."""
    for service in services.values():
        for volume in service.get("volumes") or ():
            if isinstance(volume, dict) and "subpath" in (volume.get("volume") or {}):
                yield volume["source"], volume["volume"]["subpath"]


def _on_this_disk(service: Mapping[str, Any]) -> dict[str, Any]:
    limits = service.get("blkio_config")
    if not isinstance(limits, dict):
        return {}
    disk = next((f"/dev/{one.name}" for one in sorted(Path("/sys/block").iterdir(), reverse=True)), "/dev/null")
    moved = {
        key: [{**one, "path": disk} for one in value] if isinstance(value, list) else value
        for key, value in limits.items()
        if key != "weight_device"  # it takes a disk with BFQ as its scheduler
    }
    return {"blkio_config": _Instead(moved)}


def _built_here(build: Any) -> dict[str, Any]:
    context = build.get("context") if isinstance(build, dict) else build
    return {"build": {"context": "."}} if isinstance(context, str) and "://" in context else {}


def _dependencies(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    depends_on = service.get("depends_on") or ()
    for name in depends_on:
        how = depends_on[name] if isinstance(depends_on, dict) else None
        yield name, str((how or {}).get("condition", ""))


def _referred(service: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("networks", "models"):
        yield from ((kind, name) for name in service.get(kind) or () if name != "default")
    for volume in service.get("volumes") or ():
        if isinstance(volume, dict) and volume.get("type") == "volume" and volume.get("source"):
            yield "volumes", volume["source"]
        elif isinstance(volume, str) and (match := _NAMED.match(volume)):
            yield "volumes", match[1]


def _external(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for kind in ("networks", "volumes"):
        for name, one in (document.get(kind) or {}).items():
            if isinstance(one, dict) and one.get("external"):
                yield kind, str(one.get("name", name))
