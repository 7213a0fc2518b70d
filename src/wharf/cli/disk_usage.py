"""``wharf system df``: what the engine's objects take on disk, in figures or one by one."""

from __future__ import annotations

import time

from wharf.cli.images import image_rows
from wharf.cli.output import print_rows
from wharf.cli.ps import container_row
from wharf.client.documents import as_documents, number, section, text
from wharf.client.system import System
from wharf.errors import InvalidArgument
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_KINDS = (
    # title -> the field since API 1.52
    ("Images", "ImageUsage"),
    ("Containers", "ContainerUsage"),
    ("Local Volumes", "VolumeUsage"),
    ("Build Cache", "BuildCacheUsage"),
    ("Container Logs", "LogUsage"),  # Wharf's own
)
_COLUMNS = ("Type", "TotalCount", "Active", "Size", "Reclaimable")


def usages(document: Document) -> dict[str, Document]:
    """Return a DiskUsage for each kind, by its field; from an older engine's lists, too."""
    if "LayersSize" not in document:
        return {field: section(document, field) for _, field in _KINDS if field in document}
    images, containers = as_documents(document.get("Images")), as_documents(document.get("Containers"))
    volumes, cache = as_documents(document.get("Volumes")), as_documents(document.get("BuildCache"))
    layers = number(document, "LayersSize")
    used = [image for image in images if number(image, "Containers") > 0]
    kept = sum(number(image, "Size") - max(0, number(image, "SharedSize")) for image in used)
    active = [each for each in containers if text(each, "State") in {"running", "paused", "restarting"}]
    idle = [each for each in containers if each not in active]
    unused = [volume for volume in volumes if not number(volume, "UsageData", "RefCount")]
    spare = [each for each in cache if not each.get("InUse")]
    return {
        "ImageUsage": _usage(images, len(used), layers, max(0, layers - kept)),
        "ContainerUsage": _usage(containers, len(active), _sum(containers, "SizeRw"), _sum(idle, "SizeRw")),
        "VolumeUsage": _usage(
            volumes,
            len(volumes) - len(unused),
            _sum(volumes, "UsageData", "Size"),
            _sum(unused, "UsageData", "Size"),
        ),
        "BuildCacheUsage": _usage(cache, len(cache) - len(spare), _sum(cache, "Size"), _sum(spare, "Size")),
    }


def _usage(items: list[Document], active: int, size: int, reclaimable: int) -> Document:
    return {
        "TotalCount": len(items),
        "ActiveCount": active,
        "TotalSize": size,
        "Reclaimable": reclaimable,
        "Items": items,
    }


def _sum(items: list[Document], *path: str) -> int:
    return sum(max(0, number(item, *path)) for item in items)


def usage_rows(document: Document) -> list[dict[str, str]]:
    """Return the lines of ``system df`` from the API's document."""
    found = usages(document)
    rows = []
    for title, field in _KINDS:
        if field in found:
            usage = found[field]
            size, back = number(usage, "TotalSize"), number(usage, "Reclaimable")
            share = f" ({back * 100 // size}%)" if size > 0 and title != "Build Cache" else ""
            rows.append(
                {
                    "Type": title,
                    "TotalCount": str(number(usage, "TotalCount")),
                    "Active": str(number(usage, "ActiveCount")),
                    "Size": human_size(size),
                    "Reclaimable": human_size(back) + share,
                }
            )
    return rows


def disk_usage(session: Session, values: Values, _: list[str]) -> int:
    """Print what takes room."""
    template = values.text("format")
    if values.on("verbose") and template:
        raise InvalidArgument("the verbose and the format options conflict")
    if not values.on("verbose"):
        document = System(session.client).disk_usage()
        print_rows(session, usage_rows(document), _COLUMNS, template=template)
        return 0
    found = usages(System(session.client).disk_usage(verbose=True))
    items = {field: as_documents(found.get(field, {}).get("Items")) for _, field in _KINDS}
    _print_images(session, items["ImageUsage"])
    _print_containers(session, items["ContainerUsage"], items["LogUsage"])
    _print_volumes(session, items["VolumeUsage"])
    _print_cache(session, items["BuildCacheUsage"], number(found.get("BuildCacheUsage", {}), "TotalSize"))
    return 0


def _print_images(session: Session, images: list[Document]) -> None:
    session.print("Images space usage:\n")
    rows = []
    for image in images:
        shared, size = max(0, number(image, "SharedSize")), number(image, "Size")
        for row in image_rows(image, time.time(), full=False):
            row |= {
                "SharedSize": human_size(shared),
                "UniqueSize": human_size(size - shared),
                "Containers": str(max(0, number(image, "Containers"))),
            }
            rows.append(row)
    columns = ("Repository", "Tag", "ID", "CreatedSince", "Size", "SharedSize", "UniqueSize", "Containers")
    titles = {"ID": "IMAGE ID", "SharedSize": "SHARED SIZE", "UniqueSize": "UNIQUE SIZE"}
    print_rows(session, rows, columns, headers=titles)


def _print_containers(session: Session, containers: list[Document], logs: list[Document]) -> None:
    session.print("\nContainers space usage:\n")
    sizes = {text(log, "Id"): number(log, "Size") for log in logs}
    rows = []
    for container in containers:
        row = container_row(container, time.time(), full=False)
        row["Size"] = human_size(number(container, "SizeRw"), digits=3)
        row["Log"] = human_size(sizes.get(text(container, "Id"), 0), digits=3)
        rows.append(row)
    columns = ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"]
    if logs or not containers:
        columns.insert(5, "Log")
    print_rows(session, rows, columns, headers={"ID": "CONTAINER ID", "Log": "LOG"})


def _print_volumes(session: Session, volumes: list[Document]) -> None:
    session.print("\nLocal Volumes space usage:\n")
    rows = [
        {
            "Name": text(volume, "Name"),
            "Links": str(number(volume, "UsageData", "RefCount")),
            "Size": human_size(max(0, number(volume, "UsageData", "Size"))),
        }
        for volume in volumes
    ]
    print_rows(session, rows, ("Name", "Links", "Size"), headers={"Name": "VOLUME NAME"})


def _print_cache(session: Session, cache: list[Document], size: int) -> None:
    session.print(f"\nBuild cache usage: {human_size(size)}\n")
    rows = [
        {
            "ID": text(each, "ID")[:12],
            "CacheType": text(each, "Type"),
            "Size": human_size(number(each, "Size")),
            "CreatedSince": text(each, "CreatedAt"),
            "LastUsedSince": text(each, "LastUsedAt"),
            "UsageCount": str(number(each, "UsageCount")),
            "Shared": str(bool(each.get("Shared"))).lower(),
        }
        for each in cache
    ]
    titles = {"ID": "CACHE ID", "CacheType": "CACHE TYPE", "LastUsedSince": "LAST USED", "UsageCount": "USAGE"}
    columns = ("ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "UsageCount", "Shared")
    print_rows(session, rows, columns, headers=titles)
