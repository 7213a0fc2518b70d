"""``wharf info``, ``wharf system df`` and ``wharf system prune``."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.confirm import confirmed
from wharf.cli.disk_usage import disk_usage
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_formatted
from wharf.client.containers import Containers
from wharf.client.documents import number, texts
from wharf.client.images import Images
from wharf.client.networks import Networks
from wharf.client.system import System
from wharf.client.volumes import Volumes
from wharf.lib.sizes import binary_size, human_size
from wharf.lib.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_LINES = (
    (" Containers", "Containers"),
    ("  Running", "ContainersRunning"),
    ("  Paused", "ContainersPaused"),
    ("  Stopped", "ContainersStopped"),
    (" Images", "Images"),
    (" Server Version", "ServerVersion"),
    (" Storage Driver", "Driver"),
    (" Logging Driver", "LoggingDriver"),
    (" Cgroup Driver", "CgroupDriver"),
    (" Cgroup Version", "CgroupVersion"),
    (" Default Runtime", "DefaultRuntime"),
    (" Kernel Version", "KernelVersion"),
    (" Operating System", "OperatingSystem"),
    (" OSType", "OSType"),
    (" Architecture", "Architecture"),
    (" CPUs", "NCPU"),
    (" Total Memory", "MemTotal"),
    (" Name", "Name"),
    (" ID", "ID"),
    (" Docker Root Dir", "DockerRootDir"),
)


def info_lines(document: Document) -> list[str]:
    """Return the engine's part of ``info``."""
    lines = []
    for title, name in _LINES:
        value = document.get(name)
        if value in (None, ""):
            continue
        lines.append(f"{title}: {binary_size(number(document, name)) if name == 'MemTotal' else value}")
        if name == "Driver":
            status = document.get("DriverStatus")
            pairs = status if isinstance(status, list) else []
            lines += [f"  {pair[0]}: {pair[1]}" for pair in pairs if isinstance(pair, list) and len(pair) == 2]
    security = texts(document, "SecurityOptions")
    if security:
        lines += [" Security Options:", *(f"  {option.removeprefix('name=')}" for option in security)]
    return lines


def _info(session: Session, values: Values, _: list[str]) -> int:
    document = System(session.client).info()
    if values.text("format"):
        mine = {"ClientInfo": {"Version": __version__}}
        print_formatted(session, values.text("format"), {**document, **mine})
        return 0
    session.print(f"Client:\n Version:    {__version__}\n Host:       {session.host}\n\nServer:")
    session.print("\n".join(info_lines(document)))
    for warning in texts(document, "Warnings"):
        session.warn(warning)
    return 0


_DELETED = (
    ("Containers", "ContainersDeleted"),
    ("Networks", "NetworksDeleted"),
    ("Volumes", "VolumesDeleted"),
)


def _prune(session: Session, values: Values, _: list[str]) -> int:
    every = "all images no container uses" if values.on("all") else "all images without a name"
    warning = f"This will remove all stopped containers, all networks no container uses, {every}" + (
        " and all anonymous volumes no container uses." if values.on("volumes") else "."
    )
    if not confirmed(values, warning):
        return 0
    filters = parse_filters(values.items("filter"))
    dangling = {**filters, "dangling": ["false" if values.on("all") else "true"]}
    answers = [Containers(session.client).prune(filters)]
    if values.on("volumes"):
        answers.append(Volumes(session.client).prune(filters))
    answers.append(Networks(session.client).prune(filters))
    answers.append(Images(session.client).prune(dangling))
    total = sum(number(answer, "SpaceReclaimed") for answer in answers)
    for answer in answers:
        for title, field in _DELETED:
            if texts(answer, field):
                session.print(f"Deleted {title}:\n" + "\n".join(texts(answer, field)) + "\n")
    session.print(f"Total reclaimed space: {human_size(total)}")
    return 0


COMMANDS = (
    Command(
        "info", _info, "Show the engine's state and the machine's",
        flags=(Flag("format", "string", "'json' or a template", short="f"),),
        examples=("wharf info", "wharf info -f '{{.Driver}}'"),
    ),
    Command(
        "system df", disk_usage, "Show what the engine's objects take on disk",
        flags=(
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("verbose", "bool", "Each object", short="v"),
        ),
        examples=("wharf system df", "wharf system df -v"),
    ),
    Command(
        "system prune", _prune, "Remove what is not in use",
        flags=(
            Flag("all", "bool", "All images that no container uses", short="a"),
            Flag("filter", "list", "Only some, such as until=24h"),
            Flag("force", "bool", "Do not ask", short="f"),
            Flag("volumes", "bool", "Anonymous volumes too"),
        ),
        examples=("wharf system prune -f",),
    ),
)  # fmt: skip
