"""docker ps --filter: which containers are meant (docker docs, "docker ps", "Filtering")."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Final, get_args

from wharf.engine.containers.endpoints import configured
from wharf.engine.containers.record import Container
from wharf.engine.containers.state import Status
from wharf.errors import InvalidArgument
from wharf.lib.filters import match_labels, require_known, truth

KNOWN: Final = (
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "isolation", "label", "name", "network",
    "publish", "since", "status", "volume",
)  # fmt: skip
_HEALTH: Final = ("none", "starting", "healthy", "unhealthy")
_PORTS: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?")


_STATES: Final = "created, running, paused, restarting, removing, exited, dead"


def check(filters: Mapping[str, list[str]]) -> None:
    """Refuse, in Docker's words, a filter that is unknown or a value that cannot be.

    Raises:
        InvalidArgument: see above.
    """
    require_known(filters, KNOWN)
    truth(filters, "is-task")
    for name, values in filters.items():
        for value in values:
            if not _CHECKS.get(name, _anything)(value):
                choices = f": invalid value for state ({value}): must be one of {_STATES}" if name == "status" else ""
                raise InvalidArgument(f"invalid filter '{name}={value}'{choices}")


def _anything(_value: str) -> bool:
    return True


def _is_pattern(value: str) -> bool:
    try:
        re.compile(value)
    except re.error:
        return False
    return True


_CHECKS: Final[Mapping[str, Callable[[str], bool]]] = {
    "status": lambda value: value in get_args(Status),
    "health": lambda value: value in _HEALTH,
    "exited": lambda value: value.removeprefix("-").isdigit(),
    "expose": lambda value: _PORTS.fullmatch(value) is not None,
    "publish": lambda value: _PORTS.fullmatch(value) is not None,
    "name": _is_pattern,
    "id": _is_pattern,
}


def matches(container: Container, filters: Mapping[str, list[str]], *, ancestors: Collection[str] = ()) -> bool:
    """Return whether a container passes ``filters``, which are checked.

    Values of one filter are alternatives; a label's all have to be there. ``isolation`` chooses among Windows's, and
    nothing on Linux, as with Docker. ``before`` and ``since`` are the caller's.

    Args:
        container: the container.
        filters: the filters.
        ancestors: the ids of the images that ``ancestor`` stands for.
    """
    if truth(filters, "is-task"):
        return False  # there is no swarm
    return match_labels(filters, container.spec.config.get("Labels")) and all(
        any(_MATCHERS[name](container, value) for value in values)
        if name in _MATCHERS
        else container.image_id in ancestors
        for name, values in filters.items()
        if values and (name in _MATCHERS or name == "ancestor")
    )


def _in_network(container: Container, value: str) -> bool:
    joined = configured(container.spec)
    return value in joined or any(
        value == e.network_id or (len(value) >= 12 and e.network_id.startswith(value)) for e in container.endpoints
    )


def _has_volume(container: Container, value: str) -> bool:
    return any(value in (m.get("Name"), m.get("Source"), m.get("Destination")) for m in container.spec.mounts)


def _has_port(ports: Collection[str], value: str) -> bool:
    match = _PORTS.fullmatch(value)
    assert match is not None
    first, last = int(match[1]), int(match[2] or match[1])
    return any(f"{number}/{match[3] or 'tcp'}" in ports for number in range(first, last + 1))


_MATCHERS: Final[Mapping[str, Callable[[Container, str], bool]]] = {
    "id": lambda c, value: c.id == value or re.search(value, c.id) is not None,
    "name": lambda c, value: any(re.search(value, name) for name in (f"/{c.name}", c.name)),
    "status": lambda c, value: c.state.status == value,
    "exited": lambda c, value: c.state.status == "exited" and c.state.exit_code == int(value),
    "health": lambda c, value: value == (c.state.health.status if c.state.health else "none"),
    "network": _in_network,
    "volume": _has_volume,
    "expose": lambda c, value: _has_port(c.spec.config.get("ExposedPorts") or {}, value),
    "publish": lambda c, value: _has_port(c.spec.host_config.get("PortBindings") or {}, value),
}
