"""`wharf compose up`, `create`, `plan`: bring a project to what its files say."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, carry_out, is_dry
from wharf.cli.compose.engine import engine_of
from wharf.cli.compose.images import ages_s, have_images, observed_ids, present_images
from wharf.cli.compose.project import flags_of, load_to_run
from wharf.cli.compose.providing import provide
from wharf.cli.compose.questions import ask_about_volumes, warn_of_orphans
from wharf.cli.flags import Flag, one_of
from wharf.client.credentials import as_auths, everything_stored
from wharf.compose.execute.observe import observe
from wharf.compose.load.environment import is_on
from wharf.compose.load.located import ComposeError
from wharf.compose.model.project import Project
from wharf.compose.plan.converge import converge
from wharf.compose.plan.images import Need, image_needs
from wharf.compose.plan.observed import Observed
from wharf.compose.plan.operations import Plan
from wharf.compose.plan.work import Options, Recreate
from wharf.compose.provided.api_socket import wants_socket, with_api_socket
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.compose.execute.engine import Engine


def options_of(values: Values, services: Sequence[str]) -> Options:
    """Return how to converge.

    Raises:
        InvalidArgument: flags contradict each other.
    """
    check_flags(values)
    how = Options(
        named=frozenset(services),
        start=not values.on("no-start"),
        remove_orphans=removes_orphans(values),
        renew_volumes=values.on("renew-anon-volumes"),
        recreate_volumes=values.on("yes"),
        wait=values.on("wait"),
    )
    if values.on("no-recreate"):
        return replace(how, recreate="never", recreate_dependencies="never")
    dependencies: Recreate = "force" if values.on("always-recreate-deps") else "diverged"
    if values.on("force-recreate"):
        return replace(how, recreate="force", recreate_dependencies=dependencies)
    return replace(how, recreate_dependencies=dependencies)


def removes_orphans(values: Values) -> bool:
    """Return whether containers of services that are no more go: by the flag, or a variable where it is not given."""
    given = values.given("remove-orphans")
    return values.on("remove-orphans") if given else is_on(os.environ.get("COMPOSE_REMOVE_ORPHANS", ""))


def scaled(project: Project, scales: Sequence[str]) -> Project:
    """Return the project with services at other scales: ``--scale web=3``.

    Raises:
        InvalidArgument: one is malformed.
        ComposeError: there is no such service.
    """
    services = dict(project.services)
    for text in scales:
        name, _, count = text.partition("=")
        if not count.isdigit():
            raise InvalidArgument(f"invalid --scale option {text!r}. Should be SERVICE=NUM")
        if name not in services:
            raise ComposeError(f"no such service: {name}")
        services[name] = msgspec.structs.replace(services[name], scale=int(count))
    return msgspec.structs.replace(project, services=services)


class Convergence:
    """A project, what an engine has of it, and what is to be done."""

    def __init__(self, session: Session, values: Values, services: Sequence[str]) -> None:
        """Load and observe.

        Raises:
            WharfError: there is no project, or no engine.
        """
        dependencies = not values.on("no-deps")
        agreed = values.on("yes") or is_dry(session, values)
        project = load_to_run(session, services, dependencies=dependencies, yes=agreed)
        self.project = scaled(project, values.items("scale"))
        if wants_socket(self.project):
            self.project = with_api_socket(self.project, session.host, as_auths(everything_stored(os.environ)))
        self.engine: Engine = engine_of(session)
        self.present = present_images(self.engine, self.project)
        self.needs: list[Need] = image_needs(
            self.project, self.present, build=values.on("build"), no_build=values.on("no-build"),
            pull=values.text("pull"), only=services, ages_s=ages_s(self.engine, self.project),
        )  # fmt: skip
        self.options = options_of(values, services)
        self.kept = ""

    def keep(self, service: str) -> None:
        """Leave a service's containers as they are: its networks and volumes alone are brought about."""
        self.kept = service

    def planned(self) -> tuple[Plan, Observed]:
        """Return the plan for what is there now, and what is there."""
        observed = replace(observe(self.engine, self.project.name, self.project), images=self.present)
        if self.kept:
            others = tuple(one for one in observed.containers if one.service != self.kept)
            observed = replace(observed, containers=others)
        return converge(self.project, observed, self.options), observed

    def shown(self) -> str:
        """Return the plan as text: images first."""
        plan, _ = self.planned()
        return "".join(f"{need}\n" for need in self.needs) + str(plan)

    def carry_out(self, session: Session, values: Values) -> Observed:
        """Have the images, then do the plan; return what was there before."""
        quiet = {need for need in ("pull", "build") if values.on(f"quiet-{need}")}
        have_images(session, self.engine, self.project, self.needs, quiet=quiet)
        self.present = observed_ids(self.present, self.engine, self.needs)
        if not self.options.provided:
            self.project = provide(session, self.engine, self.project)
            self.options = replace(self.options, provided=True)
        plan, observed = self.planned()
        agreed = ask_about_volumes(session, self.project, observed, yes=self.options.recreate_volumes)
        if agreed:
            self.options = replace(self.options, agreed_volumes=agreed)
            plan, observed = self.planned()
        if not removes_orphans(values) and not is_on(self.project.environment.get("COMPOSE_IGNORE_ORPHANS", "")):
            warn_of_orphans(session, self.project, observed)
        if not plan:
            return observed
        from wharf.compose.execute.steps import Manner, Steps  # noqa: PLC0415  # not when nothing is to be done

        wait_s = values.number("wait-timeout")
        manner = Manner(
            timeout_s=values.number("timeout") if values.given("timeout") else None,
            remove_volumes=values.on("renew-anon-volumes"),
            deadline=time.time() + wait_s if wait_s else None,
        )
        carry_out(session, plan, Steps(self.engine, self.project, observed, manner))
        return observed


def _up(session: Session, values: Values, services: list[str]) -> int:
    check_flags(values)
    work = Convergence(session, values, services)
    with work.engine:
        check_services(work.project, all_resources=flags_of(session).on("all-resources"))
        if is_dry(session, values):
            session.print(work.shown().rstrip("\n") or "nothing to do")
        elif any(values.on(name) for name in ("detach", "wait", "no-start")):
            work.carry_out(session, values)
        else:
            from wharf.cli.compose.foreground import run_in_foreground  # noqa: PLC0415  # not with -d

            return run_in_foreground(session, work, values, services)
    return 0


_CONTRADICTIONS = (
    ("force-recreate", "no-recreate"), ("always-recreate-deps", "no-recreate"), ("renew-anon-volumes", "no-recreate"),
    ("build", "no-build"), ("no-build", "watch"), ("attach", "attach-dependencies"),
    ("abort-on-container-exit", "abort-on-container-failure"), ("detach", "menu"),
    *((background, other) for background in ("detach", "wait") for other in (
        "abort-on-container-exit", "abort-on-container-failure", "exit-code-from", "attach", "attach-dependencies",
        "watch",
    )),
)  # fmt: skip


def check_services(project: Project, *, all_resources: bool) -> None:
    """Refuse to bring up nothing, as docker compose does: each service has a profile that was not asked for.

    Raises:
        InvalidArgument: there is no service.
    """
    if not project.services and not all_resources:
        raise InvalidArgument("no service selected")


def check_flags(values: Values) -> None:
    """Refuse flags that contradict each other.

    Raises:
        InvalidArgument: they do.
    """
    for one, other in _CONTRADICTIONS:
        if values.on(one) and values.on(other):
            raise InvalidArgument(f"--{one} and --{other} are incompatible")


def _create(session: Session, values: Values, services: list[str]) -> int:
    work = Convergence(session, values, services)
    work.options = replace(work.options, start=False)
    with work.engine:
        if is_dry(session, values):
            session.print(work.shown().rstrip("\n") or "nothing to do")
        else:
            work.carry_out(session, values)
    return 0


def _scale(session: Session, values: Values, arguments: list[str]) -> int:
    services = [text.partition("=")[0] for text in arguments]
    work = Convergence(session, values, services)
    work.project = scaled(work.project, arguments)
    work.options = replace(work.options, recreate="never", recreate_dependencies="never")
    with work.engine:
        if is_dry(session, values):
            session.print(work.shown().rstrip("\n") or "nothing to do")
        else:
            work.carry_out(session, values)
    return 0


def _plan(session: Session, values: Values, services: list[str]) -> int:
    work = Convergence(session, values, services)
    with work.engine:
        session.print(work.shown().rstrip("\n") or "nothing to do")
    return 0


_CONVERGING = (
    Flag("build", "bool", "Build images first"),
    Flag("force-recreate", "bool", "Make containers anew even if nothing changed"),
    Flag("no-build", "bool", "Build no image"),
    Flag("no-recreate", "bool", "Leave the containers that are there as they are"),
    Flag(
        "pull",
        "string",
        "Pull images first: always, missing, never or build",
        check=one_of(("always", "missing", "if_not_present", "never", "build")),
    ),
    Flag("quiet-pull", "bool", "Pull without progress"),
    Flag("remove-orphans", "bool", "Remove containers of services that the files no longer have"),
    Flag("scale", "list", "SERVICE=NUM containers of a service"),
    Flag("yes", "bool", "Say yes to all questions", short="y"),
    DRY_RUN,
)
UP_FLAGS = (
    *_CONVERGING,
    Flag("abort-on-container-exit", "bool", "Stop all when one has ended"),
    Flag("abort-on-container-failure", "bool", "Stop all when one has failed"),
    Flag("attach", "list", "Show only these services' output"),
    Flag("attach-dependencies", "bool", "Show the output of dependencies too"),
    Flag("exit-code-from", "string", "Our exit code is this service's; stops all when one has ended"),
    Flag("menu", "bool", "Heed keys: d detaches, w watches files (usual on a terminal; --menu=false: do not)"),
    Flag("no-attach", "list", "Do not show these services' output"),
    Flag("no-color", "bool", "No colours"),
    Flag("no-log-prefix", "bool", "Not whose line it is"),
    Flag("quiet-build", "bool", "Build without output"),
    Flag("timestamps", "bool", "Begin lines with their times"),
    Flag("always-recreate-deps", "bool", "Make the containers of dependencies anew too"),
    Flag("detach", "bool", "Leave them running in the background", short="d"),
    Flag("no-deps", "bool", "Leave dependencies alone"),
    Flag("no-start", "bool", "Start nothing"),
    Flag("renew-anon-volumes", "bool", "New anonymous volumes instead of the old containers'", short="V"),
    Flag("timeout", "int", "Seconds until a container that stops is killed", short="t"),
    Flag("watch", "bool", "Follow files, and bring what changes into containers", short="w"),
    Flag("wait", "bool", "Until all run or are healthy; in the background"),
    Flag("wait-timeout", "int", "Seconds to wait at most"),
)

COMMANDS = (
    Command(
        "compose up", _up, "Create and start containers", arguments="[SERVICE...]", count=(0, None), flags=UP_FLAGS,
        examples=("wharf compose up -d", "wharf compose up -d --scale worker=3", "wharf compose up --dry-run"),
    ),
    Command(
        "compose create", _create, "Create containers, and start none", arguments="[SERVICE...]",
        count=(0, None), flags=_CONVERGING,
        examples=("wharf compose create", "wharf compose create --build web"),
    ),
    Command(
        "compose scale", _scale, "Bring services to a number of containers", arguments="SERVICE=NUM [SERVICE=NUM...]",
        count=(1, None), flags=(Flag("no-deps", "bool", "Leave dependencies alone"), DRY_RUN),
        examples=("wharf compose scale worker=3",),
    ),
    Command(
        "compose plan", _plan, "Show what `up` would do, and why", arguments="[SERVICE...]", count=(0, None),
        flags=UP_FLAGS, examples=("wharf compose plan",),
    ),
)  # fmt: skip
