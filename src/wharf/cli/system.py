"""``wharf system df`` and ``wharf system prune``."""

from __future__ import annotations

from wharf.cli.command import Command
from wharf.cli.confirm import confirmed
from wharf.cli.disk_usage import disk_usage
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters
from wharf.client.containers import Containers
from wharf.client.documents import number, texts
from wharf.client.images import Images
from wharf.client.networks import Networks
from wharf.client.volumes import Volumes
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values

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
