"""What an engine has of a project, as the plan needs it; read once, before planning."""

from __future__ import annotations

from dataclasses import dataclass, field

from wharf.compose import identity


@dataclass(frozen=True, slots=True)
class Container:
    """A container of the project."""

    id: str
    name: str
    service: str
    number: int
    state: str  # running, exited, created, paused, ...
    config_hash: str = ""
    image: str = ""  # the image's id it was made from, by its label
    networks: frozenset[str] = frozenset()  # names in the engine
    mounts: tuple[tuple[str, str, str], ...] = ()  # (kind, volume's name, place)
    oneoff: bool = False
    health: str = ""
    exit_code: int = 0
    depends_on: tuple[str, ...] = ()  # services, by its label
    declared_hash: str = ""  # of what the files said, where the service was given more
    environment: tuple[str, ...] = ()  # beyond its image's; known only where a plan needs it

    @property
    def running(self) -> bool:
        """Whether its process runs, maybe frozen."""
        return self.state in {"running", "restarting", "paused"}


@dataclass(frozen=True, slots=True)
class Resource:
    """A network or a volume."""

    name: str
    id: str
    config_hash: str = ""
    project: str = ""
    key: str = ""  # its name in the project, by its label


@dataclass(frozen=True, slots=True)
class Observed:
    """All that an engine has of a project."""

    containers: tuple[Container, ...] = ()
    networks: dict[str, Resource] = field(default_factory=dict)  # by name
    volumes: dict[str, Resource] = field(default_factory=dict)  # by name
    images: dict[str, str] = field(default_factory=dict)  # image's name -> id

    def of(self, service: str) -> list[Container]:
        """Return a service's containers, one-off ones left out, by number."""
        found = [one for one in self.containers if one.service == service and not one.oneoff]
        return sorted(found, key=lambda one: one.number)

    def depends_on(self) -> dict[str, list[str]]:
        """Return service → those it depends on, as the containers' labels say."""
        return {one.service: list(one.depends_on) for one in self.containers}


def container_of(summary: dict[str, object]) -> Container:
    """Return a container from a summary of the Engine API's list."""
    labels = _texts(summary.get("Labels"))
    names = summary.get("Names")
    name = str(names[0]).lstrip("/") if isinstance(names, list) and names else ""
    settings = summary.get("NetworkSettings")
    networks = settings.get("Networks") if isinstance(settings, dict) else None
    mounts = summary.get("Mounts")
    number = labels.get(identity.NUMBER, "0")
    status = str(summary.get("Status", ""))
    return Container(
        id=str(summary.get("Id", "")),
        name=name,
        service=labels.get(identity.SERVICE, ""),
        number=int(number) if number.isdigit() else 0,
        state=str(summary.get("State", "")),
        config_hash=labels.get(identity.CONFIG_HASH, ""),
        declared_hash=labels.get(identity.DECLARED_HASH, ""),
        image=labels.get(identity.IMAGE, ""),
        networks=frozenset(networks) if isinstance(networks, dict) else frozenset(),
        mounts=tuple(
            (str(m.get("Type", "")), str(m.get("Name") or m.get("Source") or ""), str(m.get("Destination", "")))
            for m in (mounts if isinstance(mounts, list) else [])
            if isinstance(m, dict)
        ),
        oneoff=labels.get(identity.ONEOFF, "").lower() == "true",
        health=_health(status),
        exit_code=_exit_code(status),
        depends_on=tuple(text.partition(":")[0] for text in labels.get(identity.DEPENDENCIES, "").split(",") if text),
    )


def _health(status: str) -> str:
    for word in ("health: starting", "unhealthy", "healthy"):
        if f"({word})" in status:
            return word.removeprefix("health: ")
    return ""


def _exit_code(status: str) -> int:
    _, bracket, rest = status.partition("Exited (")
    number = rest.partition(")")[0]
    return int(number) if bracket and number.lstrip("-").isdigit() else 0


def resource_of(document: dict[str, object], key_label: str) -> Resource:
    """Return a network or a volume from the Engine API's document."""
    labels = _texts(document.get("Labels"))
    name = str(document.get("Name", ""))
    return Resource(
        name, str(document.get("Id") or name), labels.get(identity.CONFIG_HASH, ""),
        labels.get(identity.PROJECT, ""), labels.get(key_label, ""),
    )  # fmt: skip


def _texts(value: object) -> dict[str, str]:
    return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
