"""``wharf inspect`` and those of the single kinds."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.failures import describe
from wharf.cli.flags import Flag
from wharf.cli.template import check, render
from wharf.client.containers import Containers
from wharf.client.images import Images
from wharf.client.networks import Networks
from wharf.client.plugins import Plugins
from wharf.client.volumes import Volumes
from wharf.errors import InvalidArgument, NotFound, Unavailable, WharfError
from wharf.lib.light_json import dumps, dumps_pretty

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.client import Client
    from wharf.client.documents import Document

    Lookup = Callable[[str], Document]


def _lookups(client: Client, *, size: bool, platform: str, verbose: bool) -> dict[str, Lookup]:
    containers, networks = Containers(client), Networks(client)
    return {
        "container": lambda name: containers.inspect(name, size=size),
        "image": lambda name: Images(client).inspect(name, platform=platform),
        "network": lambda name: networks.inspect(name, verbose=verbose),
        "volume": Volumes(client).inspect,
        "plugin": Plugins(client).inspect,
    }


def _find(lookups: dict[str, Lookup], name: str) -> Document:
    for lookup in lookups.values():
        try:
            return lookup(name)
        except NotFound:
            continue
        except InvalidArgument:  # what cannot be the name of such an object is the name of none
            continue
    raise NotFound(f"Error: No such object: {name}")


def _inspect(session: Session, values: Values, names: list[str], kind: str) -> int:
    try:
        check(values.text("format"))
    except InvalidArgument as error:
        session.warn(str(error))
        return 64
    lookups = _lookups(
        session.client, size=values.on("size"), platform=values.text("platform"), verbose=values.on("verbose")
    )
    if kind and kind not in lookups:
        known = ", ".join(f'"{each}"' for each in sorted(lookups))
        raise InvalidArgument(f'unknown type: "{kind}": must be one of {known}')
    found: list[Document] = []
    failures: list[str] = []
    for name in names:
        try:
            found.append(lookups[kind](name) if kind else _find(lookups, name))
        except Unavailable:
            raise
        except WharfError as error:
            failures.append(describe(error))
    print_documents(session, found, values.text("format"))
    for failure in failures:
        session.warn(failure)
    return 1 if failures else 0


def print_documents(session: Session, found: list[Document], template: str) -> None:
    """Print documents as one JSON list, or each by a template."""
    if template == "json":
        session.print(dumps(found))
    elif template:
        for document in found:
            session.print(render(template, document))
    else:
        session.print(dumps_pretty(found))


def _any(session: Session, values: Values, names: list[str]) -> int:
    return _inspect(session, values, names, values.text("type"))


def _of(kind: str) -> Command:
    def action(session: Session, values: Values, names: list[str]) -> int:
        return _inspect(session, values, names, kind)

    flags = (_FORMAT, *_MORE.get(kind, ()))
    return Command(
        f"{kind} inspect",
        action,
        f"Show everything about {kind}s, as JSON",
        arguments=f"{kind.upper()} [{kind.upper()}...]",
        flags=flags,
        count=(1, None),
        examples=(f"wharf {kind} inspect NAME",),
    )


_FORMAT = Flag("format", "string", "'json' or a template", short="f")
_SIZE = Flag("size", "bool", "What they take on disk too", short="s")
_PLATFORM = Flag("platform", "string", "Which of an image for several: os/architecture[/variant]")
_VERBOSE = Flag("verbose", "bool", "A swarm's services too, where there is one", short="v")
_MORE = {"container": (_SIZE,), "image": (_PLATFORM,), "network": (_VERBOSE,)}

COMMANDS = (
    Command(
        "inspect",
        _any,
        "Show everything about objects, as JSON",
        arguments="NAME|ID [NAME|ID...]",
        flags=(
            _FORMAT,
            _SIZE,
            Flag("type", "string", "Only of this kind: container, image, network, volume or plugin"),
        ),
        count=(1, None),
        examples=("wharf inspect web", "wharf inspect -f '{{.State.Status}}' web"),
    ),
    *(_of(kind) for kind in ("container", "image", "network", "volume", "plugin")),
)
