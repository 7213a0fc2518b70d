"""`wharf compose start`, `stop`, `restart`, `kill`, `pause`, `unpause`, `rm`: verbs for containers that are there."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, carry_out, is_dry
from wharf.cli.compose.containers import check_services
from wharf.cli.compose.engine import engine_of
from wharf.cli.compose.project import load_or_name
from wharf.cli.flags import Flag
from wharf.compose.execute.observe import observe
from wharf.compose.execute.steps import Manner, Steps
from wharf.compose.model.project import Project
from wharf.compose.plan import verbs
from wharf.compose.plan.down import dependencies
from wharf.compose.plan.observed import Observed
from wharf.compose.plan.operations import Plan
from wharf.compose.plan.starts import plan_start

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values

    Planner = Callable[[Project, Observed, Values, list[str]], Plan]
    Action = Callable[[Session, Values, list[str]], int]


def _action(planner: Planner) -> Action:
    def action(session: Session, values: Values, services: list[str]) -> int:
        project = load_or_name(session)
        check_services(project, services)
        with engine_of(session) as engine:
            observed = observe(engine, project.name)
            plan = planner(project, observed, values, services)
            if is_dry(session, values):
                session.print(str(plan).rstrip("\n") or "nothing to do")
            else:
                carry_out(session, plan, Steps(engine, project, observed, _manner(values)))
        return 0

    return action


def _manner(values: Values) -> Manner:
    wait_s = values.number("wait-timeout")
    return Manner(
        timeout_s=values.number("timeout") if values.given("timeout") else None,
        remove_volumes=values.on("volumes"),
        signal=values.text("signal"),
        deadline=time.time() + wait_s if wait_s else None,
    )


def _known(project: Project, observed: Observed) -> dict[str, list[str]]:
    return dependencies(project) if project.files else observed.depends_on()


def _plain(verb: verbs.Verb) -> Planner:
    def planner(project: Project, observed: Observed, _: Values, services: list[str]) -> Plan:
        return verbs.plan_verb(verb, observed, _known(project, observed), services)

    return planner


def _stop(project: Project, observed: Observed, _: Values, services: list[str]) -> Plan:
    return verbs.plan_stop(project, observed, _known(project, observed), services)


def _start(project: Project, observed: Observed, values: Values, services: list[str]) -> Plan:
    if not project.files:
        return verbs.plan_verb(verbs.START, observed, observed.depends_on(), services)
    return plan_start(project, observed, services, wait=values.on("wait"))


def _restart(project: Project, observed: Observed, values: Values, services: list[str]) -> Plan:
    names = list(services)
    if services and not values.on("no-deps"):
        names += [
            name
            for name, service in project.services.items()
            if any(how.restart and other in services for other, how in service.depends_on.items())
        ]
    return verbs.plan_verb(verbs.RESTART, observed, _known(project, observed), names)


def _kill(project: Project, observed: Observed, values: Values, services: list[str]) -> Plan:
    known = project.services.keys() | project.disabled.keys()
    if project.files and not services and not values.on("remove-orphans"):
        observed = replace(observed, containers=tuple(one for one in observed.containers if one.service in known))
    return verbs.plan_verb(verbs.KILL, observed, {}, services)


def _rm(session: Session, values: Values, services: list[str]) -> int:
    if values.on("stop"):
        _action(_plain(verbs.STOP))(session, values, services)
    project = load_or_name(session)
    check_services(project, services)
    with engine_of(session) as engine:
        observed = observe(engine, project.name)
        plan = verbs.plan_verb(verbs.REMOVE, observed, {}, services)
        if not plan:
            session.warn("No stopped containers")
        elif is_dry(session, values):
            session.print(str(plan).rstrip("\n"))
        elif _agreed(session, values, [operation.details.name for operation in plan]):
            carry_out(session, plan, Steps(engine, project, observed, _manner(values)))
    return 0


def _agreed(session: Session, values: Values, names: list[str]) -> bool:
    if values.on("force"):
        return True
    session.print(f"? Going to remove {', '.join(names)} (y/N)")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


_TIMEOUT = Flag("timeout", "int", "Seconds until a container that stops is killed", short="t")


def _entry(name: str, action: Action, summary: str, *flags: Flag) -> Command:
    return Command(
        f"compose {name}", action, summary, arguments="[SERVICE...]", count=(0, None), flags=(*flags, DRY_RUN),
        examples=(f"wharf compose {name}", f"wharf compose {name} web"),
    )  # fmt: skip


COMMANDS = (
    _entry("start", _action(_start), "Start containers that are there",
           Flag("wait", "bool", "Until all run or are healthy"),
           Flag("wait-timeout", "int", "Seconds to wait at most")),
    _entry("stop", _action(_stop), "Stop containers, and leave them there", _TIMEOUT),
    _entry("restart", _action(_restart), "Stop containers and start them again", _TIMEOUT,
           Flag("no-deps", "bool", "Leave those alone that want to be restarted with them")),
    _entry("kill", _action(_kill), "Send a signal to containers",
           Flag("signal", "string", "The signal", short="s", default="SIGKILL"),
           Flag("remove-orphans", "bool", "Also containers of services that the files no longer have")),
    _entry("pause", _action(_plain(verbs.PAUSE)), "Freeze all processes of containers"),
    _entry("unpause", _action(_plain(verbs.UNPAUSE)), "Let frozen containers go on"),
    _entry("rm", _rm, "Remove stopped containers", Flag("force", "bool", "Do not ask", short="f"),
           Flag("all", "bool", short="a"),  # it had an effect with the first docker-compose
           Flag("stop", "bool", "Stop them first", short="s"),
           Flag("volumes", "bool", "Their anonymous volumes too", short="v")),
)  # fmt: skip
