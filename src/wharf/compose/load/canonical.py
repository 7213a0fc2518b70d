"""From the short syntaxes to the long one, and from texts to numbers: afterwards a place has one type only."""

from __future__ import annotations

from collections.abc import Callable

from wharf.compose.load.located import ComposeError, Map, Override, Path, Reset, Seq, complaint, dotted, rebuilt
from wharf.compose.load.rules import Rules
from wharf.compose.load.shell_words import split_words
from wharf.compose.load.short import (
    device_entry,
    filled_pairs,
    go_text,
    hosts,
    names_to,
    pairs,
    port_entries,
    texts,
    volume_entry,
)
from wharf.errors import InvalidArgument

Change = Callable[[object], object]

_BOOLEANS = {"true": True, "y": True, "yes": True, "on": True, "false": False, "n": False, "no": False, "off": False}


def _boolean(value: object) -> object:
    if isinstance(value, str):
        if value.lower() not in _BOOLEANS:
            raise InvalidArgument(f"failed to cast to expected type: invalid boolean: {value}")
        return _BOOLEANS[value.lower()]
    return value


def _integer(value: object) -> object:
    if isinstance(value, str):
        try:
            return int(value)
        except ValueError:
            raise InvalidArgument(f"failed to cast to expected type: {value!r} is no integer") from None
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _number(value: object) -> object:
    if isinstance(value, str):
        try:
            return _number(float(value))
        except ValueError:
            raise InvalidArgument(f"failed to cast to expected type: {value!r} is no number") from None
    return value


def _text(value: object) -> object:
    return None if value is None else go_text(value)


def _command(value: object) -> object:
    if isinstance(value, str):
        return Seq(split_words(value))
    return texts(value) if isinstance(value, Seq) else value


def _health_test(value: object) -> object:
    return Seq(["CMD-SHELL", value]) if isinstance(value, str) else value


def _ports(value: object) -> object:
    found = Seq()
    for index, item in enumerate(value if isinstance(value, Seq) else ()):
        entries = [item] if isinstance(item, (Map, Override)) else port_entries(go_text(item))
        marks = value.marks if isinstance(value, Seq) else []
        for entry in entries:
            if isinstance(entry, Map) and "published" in entry:
                entry["published"] = go_text(entry["published"])
            found.append(entry)
            found.marks += marks[index : index + 1]
    return found


def _ports_leniently(value: object) -> object:
    """With variables left in: what cannot be read yet stays as it was written."""
    try:
        return _ports(value)
    except InvalidArgument:
        return value


def _volume(value: object) -> object:
    return volume_entry(value) if isinstance(value, str) else value


def _device(value: object) -> object:
    return device_entry(value) if isinstance(value, str) else value


def _reference(value: object) -> object:
    return Map([("source", value)]) if isinstance(value, str) else value


def _env_files(value: object) -> object:
    items = value if isinstance(value, Seq) else Seq([value])
    found = Seq(marks=items.marks)
    for item in items:
        found.append(Map([("path", item), ("required", True)]) if isinstance(item, str) else item)
    return found


def _build(value: object) -> object:
    return Map([("context", value)]) if isinstance(value, str) else value


def _extends(value: object) -> object:
    return Map([("service", value)]) if isinstance(value, str) else value


def _depends_on(value: object) -> object:
    found = names_to(value, (("condition", "service_started"), ("required", True)))
    for below in found.values():
        if isinstance(below, Map):
            below.setdefault("required", True)
    return found


def _networks(value: object) -> object:
    return names_to(value, None)


def _ssh(value: object) -> object:
    return pairs(value) if not isinstance(value, str) else Map([(value, None)])


def _gpus(value: object) -> object:
    return Seq([Map([("count", -1)])]) if value == "all" else value


def _ulimit(value: object) -> object:
    return value if isinstance(value, Map) else _integer(value)


def _external(value: object) -> object:
    """``external: {name: x}`` is the old form of ``external: true`` and ``name: x``."""
    if not isinstance(value, Map):
        return value
    below = value.get("external")
    if isinstance(below, Map):
        changed = Map(value.items(), value.marks)
        changed["external"] = True
        if "name" in below:
            changed.setdefault("name", below["name"])
        return changed
    return value


def _include(value: object) -> object:
    return Map([("path", Seq([value]))]) if isinstance(value, str) else value


_SERVICE: dict[str, Change] = {
    **dict.fromkeys(
        ("attach", "init", "oom_kill_disable", "privileged", "read_only", "stdin_open", "tty", "use_api_socket",
         "healthcheck.disable", "volumes.[].read_only", "volumes.[].volume.nocopy", "build.privileged",
         "volumes.[].bind.create_host_path", "build.no_cache", "build.pull", "depends_on.*.restart",
         "depends_on.*.required", "env_file.[].required",
         "develop.watch.[].initial_sync", "pre_start.[].per_replica",
         "pre_start.[].privileged", "post_start.[].privileged", "pre_stop.[].privileged"), _boolean),
    **dict.fromkeys(
        ("blkio_config.weight", "blkio_config.weight_device.[].weight",
         "cpu_count", "cpu_period", "cpu_quota", "cpu_shares", "deploy.replicas", "healthcheck.retries",
         "deploy.update_config.parallelism", "deploy.rollback_config.parallelism", "oom_score_adj", "pids_limit",
         "deploy.restart_policy.max_attempts", "deploy.placement.max_replicas_per_node", "ports.[].target", "scale",
         "ulimits.*.hard", "ulimits.*.soft", "build.ulimits.*.hard", "build.ulimits.*.soft", "mem_swappiness",
         "deploy.resources.limits.pids", "networks.*.priority", "networks.*.gw_priority"), _integer),
    **dict.fromkeys(
        ("cpu_percent", "cpus", "deploy.update_config.max_failure_ratio", "deploy.rollback_config.max_failure_ratio",
         "deploy.resources.limits.cpus", "deploy.resources.reservations.cpus"), _number),
    **dict.fromkeys(
        ("cpu_rt_period", "cpu_rt_runtime", "mem_limit", "mem_reservation", "memswap_limit", "shm_size",
         "build.shm_size", "ports.[].published", "user", "restart", "volumes.[].tmpfs.size",
         "deploy.resources.limits.memory", "deploy.resources.reservations.memory", "cpuset", "build.provenance",
         "build.sbom"), _text),
    **dict.fromkeys(
        ("dns", "dns_opt", "dns_search", "tmpfs", "label_file", "expose", "group_add", "security_opt", "profiles",
         "provider.options.*", "build.cache_from", "build.cache_to", "build.tags", "build.platforms",
         "develop.watch.[].ignore", "develop.watch.[].include"), texts),
    **dict.fromkeys(
        ("environment", "build.args", "post_start.[].environment", "pre_stop.[].environment",
         "pre_start.[].environment", "develop.watch.[].exec.environment"), pairs),
    **dict.fromkeys(
        ("labels", "annotations", "sysctls", "build.labels", "deploy.labels", "build.additional_contexts",
         "storage_opt", "logging.options", "volumes.[].volume.labels", "networks.*.driver_opts", "gpus.[].options",
         "deploy.resources.reservations.devices.[].options"), filled_pairs),
    **dict.fromkeys(
        ("command", "entrypoint", "post_start.[].command", "pre_stop.[].command", "pre_start.[].command",
         "develop.watch.[].exec.command"), _command),
    **dict.fromkeys(("secrets.[]", "configs.[]", "build.secrets.[]"), _reference),
    **dict.fromkeys(("extra_hosts", "build.extra_hosts"), hosts),
    **dict.fromkeys(("ulimits.*", "build.ulimits.*"), _ulimit),
    "build": _build, "build.ssh": _ssh, "depends_on": _depends_on, "devices.[]": _device, "env_file": _env_files,
    "extends": _extends, "gpus": _gpus, "healthcheck.test": _health_test, "models": _networks,
    "networks": _networks, "ports": _ports, "volumes.[]": _volume,
}  # fmt: skip
_TOP: dict[str, Change] = {
    **{f"{kind}.*": _external for kind in ("networks", "volumes", "secrets", "configs")},
    **{f"{kind}.*.labels": filled_pairs for kind in ("networks", "volumes", "secrets", "configs")},
    **{f"{kind}.*.driver_opts": filled_pairs for kind in ("networks", "volumes", "secrets", "configs")},
    **dict.fromkeys(
        ("networks.*.external", "networks.*.internal", "networks.*.attachable", "networks.*.enable_ipv4",
         "networks.*.enable_ipv6", "volumes.*.external", "secrets.*.external", "configs.*.external"), _boolean),
    "networks.*.ipam.options": filled_pairs,
    "include.[]": _include, "include.[].path": texts, "include.[].env_file": texts,
}  # fmt: skip
_TABLE = {**{f"services.*.{pattern}": change for pattern, change in _SERVICE.items()}, **_TOP}
_STRICT = Rules.of(_TABLE)
_LENIENT = Rules.of({
    **{k: v for k, v in _TABLE.items() if v not in {_boolean, _integer, _number}},
    "services.*.ports": _ports_leniently,
})  # fmt: skip


def canonical(tree: Map, *, interpolated: bool = True) -> Map:
    """Return ``tree`` in the long syntax.

    Args:
        tree: A file's tree that follows the schema.
        interpolated: Whether variables are replaced; where not, what cannot be read yet is left as it is.

    Raises:
        ComposeError: a value is malformed; with its place.
    """

    def walk(value: object, rules: Rules[Change] | None, path: Path) -> object:
        if rules is None or value is None or isinstance(value, Reset):
            return value
        if isinstance(value, Override):
            return Override(walk(value.value, rules, path))
        if rules.rule is not None:
            value = changed(rules.rule, value, path)
        if isinstance(value, (Map, Seq)):
            return rebuilt(value, lambda key, item: walk(item, rules.at(key), (*path, key)))
        return value

    def changed(change: Change, value: object, path: Path) -> object:
        try:
            return change(value)
        except ComposeError:
            raise
        except InvalidArgument as error:
            raise complaint(tree, path, f"{dotted(path)}: {error}") from error

    result = walk(tree, _STRICT if interpolated else _LENIENT, ())
    assert isinstance(result, Map)
    return result
