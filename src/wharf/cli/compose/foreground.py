"""`up` without -d: what the containers write is shown until they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from wharf.cli.compose.attached import Doings, Ends, telling, until_over
from wharf.cli.compose.carry import carry_out
from wharf.cli.compose.interaction import Interaction
from wharf.cli.compose.lines import Lines, coloured
from wharf.cli.compose.project import flags_of
from wharf.compose import identity
from wharf.compose.execute.logs import Follower, Window
from wharf.compose.execute.observe import containers, observe
from wharf.compose.execute.steps import Manner, Steps
from wharf.compose.load.located import ComposeError
from wharf.compose.model.project import Project
from wharf.compose.plan import verbs
from wharf.compose.plan.down import dependencies
from wharf.compose.plan.observed import Container, Observed
from wharf.compose.plan.operations import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.compose.up import Convergence
    from wharf.cli.flags import Values


def run_in_foreground(session: Session, work: Convergence, values: Values, services: list[str]) -> int:
    """Bring a project up, show what its containers write until they end, and return the exit code.

    Raises:
        WharfError: it cannot be brought up.
    """
    project, engine = work.project, work.engine
    code_from = values.text("exit-code-from")
    if code_from and code_from not in project.services:
        raise ComposeError(f"no such service: {code_from}")
    ends = Ends(
        abort=values.on("abort-on-container-exit")
        or (bool(code_from) and not values.on("abort-on-container-failure")),
        abort_on_failure=values.on("abort-on-container-failure"), code_from=code_from,
    )  # fmt: skip
    colour = coloured(flags_of(session).text("ansi"), no_color=values.on("no-color"))
    lines = Lines(project.name + project.separator, prefix=not values.on("no-log-prefix"), colour=colour)
    shown = attached_services(project, values, services)
    beside = Interaction(session, work, values, services)
    follower = Follower(
        engine, project.name, beside.above(lines.show), telling(beside.above(lines.ended), ends),
        timestamps=values.on("timestamps"),
    )  # fmt: skip

    def wanted(one: Container) -> bool:
        return one.service in shown and not one.oneoff

    names = [
        identity.container_name(project, service, number)
        for service in project.services.values()
        if service.name in shown and service.provider is None
        for number in range(1, service.replicas + 1)
    ]
    lines.expect([], names=names)
    session.print("Attaching to " + ", ".join(name.removeprefix(project.name + project.separator) for name in names))
    sys.stdout.flush()
    follower.begin(wanted)

    def start() -> None:
        before = work.carry_out(session, values)
        there = [one for one in containers(engine, project.name) if wanted(one)]
        lines.expect(there)
        running = {one.id for one in before.containers if one.running}
        for one in there:
            if one.id in running:  # it was not started by us: nothing tells of its start
                follower.follow(one, Window(tail="0", timestamps=values.on("timestamps")))
        follower.wait_until_seen(one.id for one in there)

        beside.follow(follower, wanted)

    def stop() -> None:
        _all(session, work, lambda there: verbs.plan_stop(work.project, there, dependencies(work.project)), values)

    def kill() -> None:
        _all(session, work, lambda there: verbs.plan_verb(verbs.KILL, there, {}), values)

    return until_over(session, follower, ends, Doings(start, beside, stop, kill))


def _all(session: Session, work: Convergence, planner: Callable[[Observed], Plan], values: Values) -> None:
    observed = observe(work.engine, work.project.name)
    plan = planner(observed)
    timeout_s = values.number("timeout") if values.given("timeout") else None
    carry_out(session, plan, Steps(work.engine, work.project, observed, Manner(timeout_s=timeout_s)))


def attached_services(project: Project, values: Values, services: Sequence[str]) -> set[str]:
    """Return the services whose output is shown.

    Raises:
        ComposeError: one is to be attached to that is not brought up.
    """
    if values.items("attach"):
        chosen = set(values.items("attach"))
        if chosen - project.services.keys():
            raise ComposeError(
                f"cannot attach to services not included in up: {', '.join(sorted(chosen - project.services.keys()))}"
            )
    elif services and not values.on("attach-dependencies"):
        chosen = set(services)
    else:
        chosen = set(project.services)
    silent = {name for name, service in project.services.items() if service.attach is False}
    return chosen - set(values.items("no-attach")) - (silent - set(values.items("attach")))
