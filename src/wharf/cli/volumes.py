"""Volumes: create, list, remove, prune."""

from __future__ import annotations

from wharf.cli import cluster_volumes
from wharf.cli.command import Command
from wharf.cli.confirm import confirmed
from wharf.cli.create.pairs import check_label, to_map
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_rows
from wharf.client.documents import number, section, text, texts
from wharf.client.volumes import Volumes
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document


def _create(session: Session, values: Values, arguments: list[str]) -> int:
    document: Document = {
        "Name": arguments[0] if arguments else "",
        "Driver": values.text("driver"),
        "DriverOpts": to_map(values.items("opt")),
        "Labels": to_map(values.items("label")),
    }
    if (cluster := cluster_volumes.spec(values)) is not None:
        document["ClusterVolumeSpec"] = cluster
    session.print(text(Volumes(session.client).create(document), "Name"))
    return 0


def volume_row(volume: Document) -> dict[str, str]:
    """Return the fields of one line of ``volume ls``."""
    labels = section(volume, "Labels")
    return {
        "Name": text(volume, "Name"),
        "Driver": text(volume, "Driver"),
        "Scope": text(volume, "Scope"),
        "Mountpoint": text(volume, "Mountpoint"),
        "Labels": ",".join(f"{key}={value}" for key, value in sorted(labels.items())),
        "Availability": "N/A",
        "Group": "N/A",
        "Links": "N/A",
        "Size": "N/A",
        "Status": "N/A",
    }


def _ls(session: Session, values: Values, _: list[str]) -> int:
    volumes = Volumes(session.client).list(parse_filters(values.items("filter")))
    cluster = values.on("cluster")
    rows = [volume_row(volume) for volume in volumes if not cluster or volume.get("ClusterVolume")]
    rows.sort(key=lambda row: row["Name"])
    if values.on("quiet") and not values.text("format"):
        for row in rows:
            session.print(row["Name"])
        return 0
    columns = ("Name", "Group", "Driver", "Availability", "Status") if cluster else ("Driver", "Name")
    print_rows(session, rows, columns, template=values.text("format"), headers={"Name": "VOLUME NAME"})
    return 0


def _update(session: Session, values: Values, names: list[str]) -> int:
    if Volumes(session.client).inspect(names[0]).get("ClusterVolume") is None:
        raise InvalidArgument("Can only update cluster volumes")
    raise NotImplementedHere(f"--availability {values.text('availability')}: volumes of a cluster are not kept here")


def _rm(session: Session, values: Values, names: list[str]) -> int:
    volumes = Volumes(session.client)
    return session.each(names, lambda name: volumes.remove(name, force=values.on("force")))


def _prune(session: Session, values: Values, _: list[str]) -> int:
    kind = "all" if values.on("all") else "anonymous"
    if not confirmed(values, f"This will remove {kind} local volumes not used by at least one container."):
        return 0
    filters = parse_filters(values.items("filter"))
    if values.on("all"):
        filters["all"] = ["true"]
    answer = Volumes(session.client).prune(filters)
    deleted = texts(answer, "VolumesDeleted")
    if deleted:
        session.print("Deleted Volumes:\n" + "\n".join(deleted) + "\n")
    session.print(f"Total reclaimed space: {human_size(number(answer, 'SpaceReclaimed'))}")
    return 0


COMMANDS = (
    Command(
        "volume create", _create, "Create a volume", arguments="[VOLUME]", count=(0, 1),
        flags=(
            *cluster_volumes.FLAGS,
            Flag("driver", "string", "Its driver", short="d", default="local"),
            Flag("label", "list", "A label, key=value", check=check_label),
            Flag("opt", "list", "An option of the driver, key=value", short="o"),
        ),
        examples=("wharf volume create data", "wharf volume create --label app=shop data"),
    ),
    Command(
        "volume ls", _ls, "List volumes",
        flags=(
            Flag("cluster", "bool", "Only those of a cluster"),
            Flag("filter", "list", "Only some, such as dangling=true", short="f"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("quiet", "bool", "Only names", short="q"),
        ),
        examples=("wharf volume ls",),
    ),
    Command(
        "volume update", _update, "Change a cluster's volume", arguments="VOLUME", count=(1, 1),
        flags=(cluster_volumes.AVAILABILITY,),
        examples=("wharf volume update --availability drain data",),
    ),
    Command(
        "volume rm", _rm, "Remove volumes", arguments="VOLUME [VOLUME...]", count=(1, None),
        flags=(Flag("force", "bool", "One that does not exist is no failure", short="f"),),
        examples=("wharf volume rm data",),
    ),
    Command(
        "volume prune", _prune, "Remove unused volumes",
        flags=(
            Flag("all", "bool", "Also those with a name", short="a"),
            Flag("filter", "list", "Only some, such as label=app"),
            Flag("force", "bool", "Do not ask", short="f"),
        ),
        examples=("wharf volume prune -f",),
    ),
)  # fmt: skip
