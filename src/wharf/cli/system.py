"""``wharf info``, ``wharf system df`` and ``wharf system prune``."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.confirm import confirmed
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_formatted, print_rows
from wharf.client.containers import Containers
from wharf.client.documents import as_documents, number, section, text, texts
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


def _share(part: int, whole: int) -> str:
    return f"{human_size(part)} ({part * 100 // whole}%)" if whole else human_size(part)


def usage_rows(document: Document) -> list[dict[str, str]]:
    """Return the lines of ``system df`` from the API's document."""
    images = as_documents(document.get("Images"))
    containers = as_documents(document.get("Containers"))
    volumes = as_documents(document.get("Volumes"))
    layers = number(document, "LayersSize")
    used_layers = sum(
        number(i, "Size") - max(0, number(i, "SharedSize")) for i in images if number(i, "Containers") > 0
    )
    container_sizes = sum(number(c, "SizeRw") for c in containers)
    running = [c for c in containers if text(c, "State") in {"running", "paused", "restarting"}]
    idle = container_sizes - sum(number(c, "SizeRw") for c in running)
    volume_sizes = {text(v, "Name"): number(section(v, "UsageData"), "Size") for v in volumes}
    unused = sum(volume_sizes[text(v, "Name")] for v in volumes if number(section(v, "UsageData"), "RefCount") == 0)
    used = sum(number(section(v, "UsageData"), "RefCount") > 0 for v in volumes)
    in_use = sum(number(i, "Containers") > 0 for i in images)
    return [
        _usage("Images", len(images), in_use, human_size(layers), _share(max(0, layers - used_layers), layers)),
        _usage("Containers", len(containers), len(running), human_size(container_sizes),
               _share(idle, container_sizes)),
        _usage("Local Volumes", len(volumes), used, human_size(sum(volume_sizes.values())),
               _share(unused, sum(volume_sizes.values()))),
    ]  # fmt: skip


def _usage(kind: str, total: int, active: int, size: str, reclaimable: str) -> dict[str, str]:
    return {
        "Type": kind, "TotalCount": str(total), "Active": str(active), "Size": size, "Reclaimable": reclaimable,
    }  # fmt: skip


def _df(session: Session, values: Values, _: list[str]) -> int:
    rows = usage_rows(System(session.client).disk_usage())
    columns = ("Type", "TotalCount", "Active", "Size", "Reclaimable")
    print_rows(session, rows, columns, template=values.text("format"))
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
        return 1
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
        "system df", _df, "Show what the engine's objects take on disk",
        flags=(
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("verbose", "bool", short="v", refusal="list them with 'wharf images' and 'wharf ps -as'"),
        ),
        examples=("wharf system df",),
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
