"""What is odd about what there is: told, or asked about, before a project is brought up."""

from __future__ import annotations

import sys

from wharf.compose.model.project import Project
from wharf.compose.plan.converge import orphans
from wharf.compose.plan.observed import Observed, Resource
from wharf.compose.plan.resources import diverged_volumes, foreign_volumes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session


def ask_about_volumes(session: Session, project: Project, observed: Observed, *, yes: bool) -> frozenset[str]:
    """Tell of volumes that are not as the files say; return those that the user agrees to lose.

    Args:
        session: Of the command line.
        project: What is wished.
        observed: What there is.
        yes: Whether all is agreed to, so that nothing is asked.
    """
    for one in foreign_volumes(project, observed):
        session.warn(f"WARNING: {foreign_volume(one, project.name)}")
    agreed = set()
    for name in [] if yes else diverged_volumes(project, observed):
        said = f'Volume "{name}" exists but doesn\'t match configuration in compose file.'
        if not sys.stdin.isatty():
            session.warn(f"WARNING: {said} It is left as it is: --yes makes it anew (data will be lost)")
        elif _confirms(session, f"{said} Recreate (data will be lost)? [y/N]: "):
            agreed.add(name)
    return frozenset(agreed)


def foreign_volume(one: Resource, project: str) -> str:
    """Return what is odd about a volume that another made, in docker compose's words."""
    whose = f'for project "{one.project}" (expected "{project}")'
    how = f"was created {whose}" if one.project else "was not created by Docker Compose"
    return f'volume "{one.name}" already exists but {how}. Use `external: true` to use an existing volume'


def warn_of_orphans(session: Session, project: Project, observed: Observed) -> None:
    """Say which containers are left of services that the project no longer has."""
    found = sorted(one.name for one in orphans(project, observed))
    if found:
        session.warn(
            f"WARNING: found orphan containers ({', '.join(found)}) for this project. If you removed or renamed "
            "this service in your compose file, run this command with --remove-orphans to clean it up."
        )


def _confirms(session: Session, question: str) -> bool:
    """Ask; the end of input is a no."""
    session.warn(question)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
