"""The containers of a project that a command is about."""

from __future__ import annotations

from collections.abc import Sequence

from wharf.client.containers import Containers
from wharf.client.documents import section, text
from wharf.compose import identity
from wharf.compose.load.located import ComposeError
from wharf.compose.model.project import Project
from wharf.errors import NotFound

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.client.documents import Document


def name_of(summary: Document) -> str:
    """Return a container's name, from a ContainerSummary."""
    names = summary.get("Names")
    return str(names[0]).removeprefix("/") if isinstance(names, list) and names else text(summary, "Id")[:12]


def service_of(summary: Document) -> str:
    """Return the service that a container is one of."""
    return text(section(summary, "Labels"), identity.SERVICE)


def number_of(summary: Document) -> int:
    """Return which of its service's containers it is, from 1."""
    number = text(section(summary, "Labels"), identity.NUMBER)
    return int(number) if number.isdigit() else 0


def check_services(project: Project, services: Sequence[str]) -> None:
    """Refuse what is no service of a project that has files.

    Raises:
        ComposeError: there is no such service.
    """
    known = {**project.services, **project.disabled}
    for name in services:
        if project.files and name not in known:
            raise ComposeError(f"no such service: {name}")


def containers_of(
    session: Session,
    project: Project,
    services: Sequence[str] = (),
    *,
    everything: bool = False,
    oneoff: bool | None = False,
) -> list[Document]:
    """Return a project's containers, or those of some services, as ContainerSummaries by service and number.

    Args:
        session: The engine's.
        project: Whose.
        services: Which; all of them when empty.
        everything: Those, too, that do not run.
        oneoff: Those of ``run`` as well with None, only those with True.

    Raises:
        ComposeError: the project has no such service.
    """
    check_services(project, services)
    found = Containers(session.client).list(
        all_states=everything, filters=identity.filters(project.name, oneoff=oneoff)
    )
    chosen = [one for one in found if not services or service_of(one) in services]
    return sorted(chosen, key=lambda one: (service_of(one), number_of(one), name_of(one)))


def container_of(
    session: Session, project: Project, service: str, index: int = 0, *, everything: bool = False
) -> Document:
    """Return one container of a service: the first, or the one with that number.

    Raises:
        ComposeError: the project has no such service.
        NotFound: it has no such container, or that does not run.
    """
    found = containers_of(session, project, [service], everything=everything)
    for one in found:
        if index in (0, number_of(one)):
            return one
    which = f" container #{index}" if index else ""
    raise NotFound(f'service "{service}" is not running{which}')
