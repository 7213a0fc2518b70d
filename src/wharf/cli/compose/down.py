"""`wharf compose down`: stop and remove all of a project."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, carry_out, is_dry
from wharf.cli.compose.engine import engine_of
from wharf.cli.compose.project import load_or_name
from wharf.cli.compose.up import removes_orphans
from wharf.cli.flags import Flag, Values, one_of
from wharf.compose import identity
from wharf.compose.execute.observe import observe
from wharf.compose.execute.steps import Manner, Steps
from wharf.compose.load.located import ComposeError
from wharf.compose.model.project import Project
from wharf.compose.plan.down import Going, dependencies, down
from wharf.compose.plan.observed import Observed
from wharf.compose.plan.providers import providers_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session


def _down(session: Session, values: Values, services: list[str]) -> int:
    project = load_or_name(session)
    unknown = [name for name in services if name not in {**project.services, **project.disabled}]
    if unknown and project.files:
        raise ComposeError(f"no such service: {unknown[0]}")
    with engine_of(session) as engine:
        observed = observe(engine, project.name)
        plan = down(observed, _dependencies(project, observed), _going(project, observed, values, services))
        if is_dry(session, values):
            session.print(str(plan).rstrip("\n") or "nothing to do")
            return 0
        timeout_s = values.number("timeout") if values.given("timeout") else None
        manner = Manner(timeout_s=timeout_s, remove_volumes=values.on("volumes"))
        carry_out(session, plan, Steps(engine, project, observed, manner))
    if not plan:
        session.warn("WARNING: no resource found to remove for project " + project.name)
    return 0


def take_down(session: Session) -> int:
    """Take the session's project down as ``wharf compose down`` does."""
    return _down(session, Values(COMMANDS[0].flags), [])


def _dependencies(project: Project, observed: Observed) -> dict[str, list[str]]:
    return dependencies(project) if project.files else observed.depends_on()


def _going(project: Project, observed: Observed, values: Values, services: list[str]) -> Going:
    known = project.services.keys() | project.disabled.keys()
    orphaned = {one.service for one in observed.containers if one.service not in known and not one.oneoff}
    external = [network.name for network in project.networks.values() if network.external]
    external += [volume.name for volume in project.volumes.values() if volume.external]
    return Going(
        services=frozenset(services),
        volumes=values.on("volumes"),
        images=_images(project, values.text("rmi")),
        kept=frozenset(orphaned if project.files and not removes_orphans(values) else ()),
        external=frozenset(external),
        provided=providers_of(project),
    )


def _images(project: Project, which: str) -> list[str]:
    services = [one for one in project.services.values() if one.provider is None]
    if not which:
        return []
    return sorted({identity.image_name(project, one) for one in services if which == "all" or not one.image})


COMMANDS = (
    Command(
        "compose down", _down, "Stop and remove containers and networks", arguments="[SERVICE...]", count=(0, None),
        flags=(
            Flag("remove-orphans", "bool", "Also containers of services that the files no longer have"),
            Flag("rmi", "string", "Remove images: local (those without a name of their own) or all",
                 check=one_of(("local", "all"))),
            Flag("timeout", "int", "Seconds until a container that stops is killed", short="t"),
            Flag("volumes", "bool", "Also named volumes of the files, and anonymous ones", short="v"),
            DRY_RUN,
        ),
        examples=("wharf compose down", "wharf compose down -v --rmi local", "wharf compose -p shop down"),
    ),
)  # fmt: skip
