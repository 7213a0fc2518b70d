"""What a project asks for that one host cannot do: refused, or told and gone without; with file and line. Pure.

Everything else that the schema allows has an effect; a test walks all attributes of the specification and holds that.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from wharf.compose.load.located import Map, Path, Seq, complaint, dotted, mark_at
from wharf.compose.load.rules import Rules

_CLUSTER = "it is about the machines of a cluster, and this is one host"


@dataclass(frozen=True, slots=True)
class _Limit:
    """Why something is not done; refused where going without would be wrong."""

    why: str
    refused: bool = False
    when: Callable[[object], bool] = lambda value: value not in (None, "", False)


def _is_true(value: object) -> bool:
    return value is True


_REFUSED = {
    "services.*.credential_spec": "credentials of this kind are for Windows containers",
    "secrets.*.driver": "drivers of secrets need a swarm",
    "secrets.*.driver_opts": "drivers of secrets need a swarm",
    "secrets.*.template_driver": "templates of secrets need a swarm",
    "configs.*.template_driver": "templates of configs need a swarm",
}
_WARNED = {
    **dict.fromkeys(
        (f"services.*.deploy.{name}" for name in (
            "endpoint_mode", "labels", "placement", "rollback_config", "update_config",
            "resources.reservations.cpus", "resources.reservations.generic_resources",
        )), _CLUSTER),
    "services.*.deploy.restart_policy.delay": "the engine chooses the time between restarts",
    "services.*.deploy.restart_policy.window": "the engine takes ten seconds as a successful start",
    "services.*.ports.[].app_protocol": "nothing here makes use of it",
    "services.*.ports.[].name": "nothing here makes use of it",
    "services.*.volumes.[].bind.selinux": "this engine does not label files for SELinux",
    "services.*.cpu_count": "it is about Windows containers",
    "services.*.cpu_percent": "it is about Windows containers",
    "configs.*.labels": "there is no object of the engine that could have them",
    "secrets.*.labels": "there is no object of the engine that could have them",
}  # fmt: skip
_RULES: Rules[_Limit] = Rules.of({
    **{pattern: _Limit(why, refused=True) for pattern, why in _REFUSED.items()},
    **{pattern: _Limit(why) for pattern, why in _WARNED.items()},
    "services.*.deploy.mode": _Limit(_CLUSTER, when=lambda value: value not in (None, "replicated")),
    "services.*.ports.[].mode": _Limit(_CLUSTER, when=lambda value: value not in (None, "ingress")),
    "services.*.isolation": _Limit(
        "it is about Windows containers", refused=True, when=lambda value: value not in (None, "", "default")
    ),
    "secrets.*.external": _Limit("secrets outside of a project need a swarm", refused=True, when=_is_true),
    "configs.*.external": _Limit("configs outside of a project need a swarm", refused=True, when=_is_true),
})  # fmt: skip


def limits_of(tree: Map, services: Collection[str]) -> list[str]:
    """Return a warning for each thing that the services go without.

    Args:
        tree: The whole, complete tree.
        services: Those that are to run; others are not looked at.

    Raises:
        ComposeError: something is asked for that cannot be gone without; with its place.
    """
    warnings: list[str] = []
    for path, limit in _walk(tree, _RULES, ()):
        if path[0] == "services" and path[1] not in services:
            continue
        said = f"{dotted(path)} is not supported here: {limit.why}"
        if limit.refused:
            raise complaint(tree, path, said)
        mark = mark_at(tree, path)
        warnings.append(f"{mark}: {said}" if mark else said)
    return warnings


def _walk(value: object, rules: Rules[_Limit], path: Path) -> Iterator[tuple[Path, _Limit]]:
    if rules.rule is not None and rules.rule.when(value):
        yield path, rules.rule
    entries: Iterator[tuple[str | int, object]] = iter(())
    if isinstance(value, Map):
        entries = iter(value.items())
    elif isinstance(value, Seq):
        entries = iter(enumerate(value))
    for key, item in entries:
        below = rules.at(key)
        if below is not None:
            yield from _walk(item, below, (*path, key))
