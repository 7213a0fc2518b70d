"""What files leave out: defaults, names, the default network, dependencies that other attributes imply."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping

from wharf.compose.load.located import Map, Seq

_SHARING = ("network_mode", "ipc", "pid", "uts", "cgroup")


def complete(tree: Map, name: str, variables: Mapping[str, str]) -> Map:
    """Return the merged tree with everything said that was left out.

    Args:
        tree: Canonical and settled.
        name: The project's.
        variables: For entries of ``environment`` and ``build.args`` without a value.
    """
    result = Map(tree.items(), tree.marks)
    result["name"] = name
    services = tree.get("services")
    services = services if isinstance(services, Map) else Map()
    result["services"] = Map(
        ((key, _service(value if isinstance(value, Map) else Map(), variables)) for key, value in services.items()),
        services.marks,
    )
    _default_network(result)
    for kind in ("networks", "volumes", "configs", "secrets"):
        _named(result, kind, name)
    return result


def _service(service: Map, variables: Mapping[str, str]) -> Map:
    done = Map(((k, v) for k, v in service.items() if v is not None or k in {"command", "entrypoint"}), service.marks)
    if done.get("pull_policy") == "if_not_present":
        done["pull_policy"] = "missing"
    for key, change in _DEFAULTS.items():
        if key in done:
            done[key] = change(done[key])
    build = done.get("build")
    if isinstance(build, Map) and isinstance(build.get("args"), Map):
        args = {k: v if v is not None else variables.get(k) for k, v in _map(build["args"]).items()}
        build["args"] = Map((k, v) for k, v in args.items() if v is not None)
    if isinstance(done.get("environment"), Map):
        done["environment"] = Map(
            (k, v if v is not None else variables.get(k)) for k, v in _map(done["environment"]).items()
        )
    if not ({"provider", "network_mode"} & done.keys()) and not done.get("networks"):
        done["networks"] = Map([("default", None)])
    depends_on = _dependencies(done)
    if depends_on:
        done["depends_on"] = depends_on
    return done


def _map(value: object) -> Map:
    return value if isinstance(value, Map) else Map()


def _build(value: object) -> object:
    build = Map(_map(value).items(), _map(value).marks)
    if "dockerfile" not in build and "dockerfile_inline" not in build:
        build["dockerfile"] = "Dockerfile"
    return build


def _ports(value: object) -> object:
    return _each(value, lambda port: Map({"mode": "ingress", "protocol": "tcp", **port}.items(), port.marks))


def _secrets(value: object) -> object:
    return _each(value, lambda one: Map({"target": f"/run/secrets/{one.get('source')}", **one}.items(), one.marks))


def _gpus(value: object) -> object:
    return _each(
        value, lambda one: one if {"count", "device_ids"} & one.keys() else Map({**one, "count": -1}.items())
    )


def _deploy(value: object) -> object:
    deploy = _map(value)
    reserved = _map(_map(deploy.get("resources")).get("reservations"))
    if "devices" in reserved:
        reserved["devices"] = _gpus(reserved["devices"])
    return deploy


def _mounts(value: object) -> object:
    def one(mount: Map) -> Map:
        done = Map(mount.items(), mount.marks)
        done["target"] = posixpath.normpath(str(mount.get("target", "")))
        return done

    return _each(value, one)


def _each(value: object, change: Callable[[Map], Map]) -> object:
    if not isinstance(value, Seq):
        return value
    return Seq((change(item) if isinstance(item, Map) else item for item in value), value.marks)


_DEFAULTS: dict[str, Callable[[object], object]] = {
    "build": _build, "ports": _ports, "secrets": _secrets, "gpus": _gpus, "volumes": _mounts, "deploy": _deploy,
}  # fmt: skip


def _dependencies(service: Map) -> Map:
    """Return ``depends_on`` with what links and shared namespaces imply."""
    found = Map(_map(service.get("depends_on")).items(), _map(service.get("depends_on")).marks)

    def imply(name: str, *, restart: bool) -> None:
        items: list[tuple[str, object]] = [("condition", "service_started"), ("required", True)]
        found.setdefault(name, Map([*items, ("restart", True)] if restart else items))

    for link in _items(service.get("links")):
        imply(link.partition(":")[0], restart=True)
    for key in _SHARING:
        kind, _, name = str(service.get(key) or "").partition(":")
        if kind == "service":
            imply(name, restart=True)
    for source in _items(service.get("volumes_from")):
        if not source.startswith("container:"):
            imply(source.partition(":")[0], restart=False)
    return found


def _items(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, Seq) else []


def _default_network(tree: Map) -> None:
    uses = any("default" in _map(_map(service).get("networks")) for service in _map(tree["services"]).values())
    networks = Map(_map(tree.get("networks")).items(), _map(tree.get("networks")).marks)
    if uses:
        networks.setdefault("default", None)
    if networks:
        tree["networks"] = networks


def _named(tree: Map, kind: str, project: str) -> None:
    """Give each resource its name in the engine."""
    if not isinstance(tree.get(kind), Map):
        return
    section = _map(tree[kind])
    named = Map(marks=section.marks)
    for key, value in section.items():
        one = Map(_map(value).items(), _map(value).marks)
        one.setdefault("name", key if one.get("external") is True else f"{project}_{key}")
        named[key] = one
    tree[kind] = named
