"""`wharf compose run`: one container of a service for one command."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence

import msgspec

from wharf.cli.command import Command
from wharf.cli.compose.carry import DRY_RUN, is_dry
from wharf.cli.compose.exec import terminal_of
from wharf.cli.compose.up import Convergence
from wharf.cli.create.files import key_values, read_text
from wharf.cli.flags import Flag, one_of, parse
from wharf.cli.registry import load
from wharf.cli.run import run_attached, run_detached
from wharf.compose import identity
from wharf.compose.create.document import Make, Others, container_document
from wharf.compose.create.files import archive, injected_files
from wharf.compose.execute.engine import Engine
from wharf.compose.execute.observe import containers
from wharf.compose.execute.steps import read_file
from wharf.compose.load.located import ComposeError, Map
from wharf.compose.load.short import port_entries, volume_entry
from wharf.compose.model.base import convert
from wharf.compose.model.mounts import Mount, Port
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service
from wharf.errors import Conflict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _run(session: Session, values: Values, arguments: list[str]) -> int:
    name, *command = arguments
    work = Convergence(session, values, [name])
    project = work.project
    one_off(project, project.services[name], values, command)  # what is malformed is told before anything is done
    others = {key: one for key, one in project.services.items() if key != name}
    if values.on("no-deps"):
        others = {}
    # The service itself is not brought up, but its networks and volumes are.
    work.project = msgspec.structs.replace(
        project, services={**others, name: msgspec.structs.replace(project.services[name], scale=0)}
    )
    work.keep(name)
    if is_dry(session, values):
        session.print(work.shown() + f"[] -> service:{name}, RunContainer, {' '.join(command) or 'its own command'}")
        return 0
    with work.engine as engine:
        work.carry_out(session, values)
        service = work.project.services[name]  # with what providers told
        return _start(session, values, engine, project, one_off(project, service, values, command))


def one_off(project: Project, service: Service, values: Values, command: Sequence[str]) -> Service:
    """Return the service as a container for one command wants it.

    Raises:
        WharfError: a flag's value is malformed.
    """
    environment: dict[str, str | None] = dict(service.environment)
    lines = [line for path in values.items("env-from-file") for line in key_values(read_text(path), path, os.environ)]
    for text in [*lines, *values.items("env")]:
        key, equals, value = text.partition("=")
        environment[key] = value if equals else project.environment.get(key)
    labels = {**service.labels, **{k: v for k, _, v in (text.partition("=") for text in values.items("label"))}}
    published = [convert(dict(entry), Port) for text in values.items("publish") for entry in port_entries(text)]
    mounted = [_mount(project, text) for text in values.items("volume")]
    targets = {mount.target for mount in mounted}
    entrypoint = values.text("entrypoint").split() if values.given("entrypoint") else service.entrypoint
    tty = terminal_of(values, terminal=os.isatty(0) and os.isatty(1))
    return msgspec.structs.replace(
        service, command=list(command) or (None if values.given("entrypoint") else service.command),
        entrypoint=entrypoint, environment=environment, labels=labels, container_name="", restart="", scale=1,
        ports=(service.ports if values.on("service-ports") else []) + published,
        volumes=[mount for mount in service.volumes if mount.target not in targets] + mounted,
        cap_add=[*service.cap_add, *values.items("cap-add")],
        cap_drop=[*service.cap_drop, *values.items("cap-drop")],
        user=values.text("user") or service.user, working_dir=values.text("workdir") or service.working_dir,
        tty=tty and not values.on("detach"), stdin_open=values.on("interactive") and not values.on("detach"),
    )  # fmt: skip


def _mount(project: Project, text: str) -> Mount:
    entry = dict(volume_entry(text))
    if entry["type"] == "bind":
        entry["source"] = os.path.normpath(os.path.join(os.getcwd(), os.path.expanduser(str(entry["source"]))))
    elif "source" in entry and entry["source"] not in project.volumes:
        raise ComposeError(f"no such volume in the project: {entry['source']}")
    return convert({key: dict(item) if isinstance(item, Map) else item for key, item in entry.items()}, Mount)


def _start(session: Session, values: Values, engine: Engine, project: Project, service: Service) -> int:
    slug = secrets.token_hex(32)
    make = Make(
        number=1, oneoff=True, aliases=values.on("use-aliases"), attach_stdin=service.stdin_open,
        auto_remove=values.on("rm"), labels=((f"{identity.PREFIX}slug", slug),),
    )  # fmt: skip
    there = containers(engine, project.name)

    def ids(name: str) -> list[str]:
        return [one.id for one in there if one.service == name]

    def one(name: str) -> str:
        if not ids(name):
            raise Conflict(f"no container of service {name} to share with")
        return ids(name)[0]

    names = Others(one, lambda name: [each.name for each in there if each.service == name], read_file)
    document = container_document(project, service, make, names)
    files = injected_files(project, service, read_file)

    def prepare(identifier: str) -> None:
        if files:
            engine.containers.extract(identifier, "/", [archive(files)])

    name = values.text("name") or project.separator.join((project.name, service.name, "run", slug[:12]))
    words = ["--name", name, "--pull", "never", *(["--rm"] if values.on("rm") else [])]
    words += [*(["--tty"] if service.tty else []), *(["--interactive"] if service.stdin_open else [])]
    command = load("run")
    assert command is not None
    parsed, _ = parse(command.flags, words)
    if values.on("detach"):
        return run_detached(session, parsed, document, prepare)
    return run_attached(session, parsed, document, prepare)


COMMANDS = (
    Command(
        "compose run", _run, "Run one command in a container of a service", arguments="SERVICE [COMMAND] [ARGS...]",
        count=(1, None), interspersed=False,
        flags=(
            Flag("build", "bool", "Build its image first"),
            Flag("cap-add", "list", "Add a capability"), Flag("cap-drop", "list", "Drop a capability"),
            Flag("detach", "bool", "Leave it in the background", short="d"),
            Flag("entrypoint", "string", "Instead of the image's"),
            Flag("env", "list", "An environment variable, name=value", short="e"),
            Flag("env-from-file", "list", "Read environment variables from a file"),
            Flag("interactive", "bool", "Keep its stdin open", short="i", default=True),
            Flag("label", "list", "A label, key=value", short="l"),
            Flag("name", "string", "The container's name"),
            Flag("no-deps", "bool", "Leave dependencies alone"),
            Flag("no-tty", "bool", "Give it no terminal", short="T"),
            Flag("no-TTY", "bool"), Flag("tty", "bool", short="t", default=True),
            Flag("publish", "list", "Publish a port", short="p"),
            Flag("pull", "string", "Pull its image first: always, missing or never",
                 check=one_of(("always", "missing", "never"))),
            Flag("quiet", "bool", "No progress", short="q"),
            Flag("quiet-build", "bool", "Build without output"),
            Flag("quiet-pull", "bool", "Pull without progress"),
            Flag("remove-orphans", "bool", "Remove containers of services that the files no longer have"),
            Flag("rm", "bool", "Remove it when it has ended"),
            Flag("service-ports", "bool", "Publish the service's ports", short="P"),
            Flag("use-aliases", "bool", "Answer to the service's names"),
            Flag("user", "string", "Who runs it", short="u"),
            Flag("volume", "list", "Mount something", short="v"),
            Flag("workdir", "string", "Working folder", short="w"), DRY_RUN,
        ),
        examples=("wharf compose run --rm web sh", "wharf compose run -T db psql -c 'select 1'"),
    ),
)  # fmt: skip
