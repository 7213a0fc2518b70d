"""Images: list, history, tag, remove, prune."""

from __future__ import annotations

import sys
import time

from wharf.cli.command import Command, terminal_width
from wharf.cli.confirm import confirmed
from wharf.cli.flags import Flag
from wharf.cli.output import parse_filters, print_rows
from wharf.client.documents import as_documents, number, text, texts
from wharf.client.images import Images
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.durations import human_duration
from wharf.lib.sizes import human_size
from wharf.lib.tables import ellipsis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_HEADERS = {"ID": "IMAGE ID", "CreatedSince": "CREATED"}
_TREE_WIDTH = 80  # where there is no terminal


def _short(image_id: str, *, full: bool) -> str:
    return image_id if full else image_id.removeprefix("sha256:")[:12]


def _names(image: Document) -> list[tuple[str, str]]:
    """Return (repository, tag) of every name; one pair of ``<none>`` for an image without."""
    found = [name.rpartition(":")[::2] for name in texts(image, "RepoTags") if name != "<none>:<none>"]
    if found:
        return sorted((repository, tag) for repository, tag in found)
    digests = texts(image, "RepoDigests")
    repository = digests[0].partition("@")[0] if digests else "<none>"
    return [(repository, "<none>")]


def _digest(image: Document, repository: str) -> str:
    for reference in texts(image, "RepoDigests"):
        name, _, digest = reference.partition("@")
        if name == repository:
            return digest
    return "<none>"


def image_rows(image: Document, now: float, *, full: bool) -> list[dict[str, str]]:
    """Return one row for each name of an image."""
    created = number(image, "Created")
    size = human_size(number(image, "Size"), digits=3)
    return [
        {
            "Repository": repository,
            "Tag": tag,
            "Digest": _digest(image, repository),
            "ID": _short(text(image, "Id"), full=full),
            "CreatedSince": f"{human_duration(max(0.0, now - created))} ago" if created > 0 else "N/A",
            "CreatedAt": time.strftime("%Y-%m-%d %H:%M:%S %z %Z", time.localtime(created)),
            "Size": size,
            "VirtualSize": human_size(number(image, "Size")),
            "Containers": "N/A",
            "SharedSize": "N/A",
            "UniqueSize": "N/A",
        }
        for repository, tag in _names(image)
    ]


def _images(session: Session, values: Values, arguments: list[str]) -> int:
    filters = parse_filters(values.items("filter"))
    if arguments:
        filters.setdefault("reference", []).append(arguments[0])
    if values.on("tree"):
        return _tree(session, values, filters)
    found = Images(session.client).list(all_images=values.on("all"), digests=values.on("digests"), filters=filters)
    full = values.on("no-trunc")
    if values.on("quiet") and not values.text("format"):
        ids = [_short(text(image, "Id"), full=full) for image in found for _ in _names(image)]
        if ids:
            session.print("\n".join(ids))
        return 0
    now = time.time()
    rows = [row for image in found for row in image_rows(image, now, full=full)]
    digest = ("Digest",) if values.on("digests") else ()
    columns = ("Repository", "Tag", *digest, "ID", "CreatedSince", "Size")
    print_rows(session, rows, columns, template=values.text("format"), headers=_HEADERS)
    return 0


def _tree(session: Session, values: Values, filters: dict[str, list[str]]) -> int:
    for flag in ("quiet", "no-trunc", "digests", "format"):
        if values.text(flag) if flag == "format" else values.on(flag):
            raise InvalidArgument(f"--{flag} is not yet supported with --tree")
    from wharf.cli.image_tree import render_tree, tree_lines  # noqa: PLC0415  # only for who wants a tree

    found = Images(session.client).list(all_images=values.on("all"), filters=filters, manifests=True)
    sys.stdout.write(render_tree(tree_lines(found), terminal_width() or _TREE_WIDTH))
    return 0


def _history(session: Session, values: Values, arguments: list[str]) -> int:
    full, human = values.on("no-trunc"), values.on("human")
    now = time.time()
    rows = []
    for layer in Images(session.client).history(arguments[0], platform=values.text("platform")):
        created, by = number(layer, "Created"), text(layer, "CreatedBy").replace("\t", " ")
        size = number(layer, "Size")
        written = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))
        rows.append(
            {
                "ID": _short(text(layer, "Id"), full=full),
                "CreatedSince": f"{human_duration(max(0.0, now - created))} ago" if human else written,
                "CreatedAt": written,
                "CreatedBy": by if full else ellipsis(by, 45),
                "Size": human_size(size, digits=3) if human else str(size),
                "Comment": text(layer, "Comment"),
            }
        )
    if values.on("quiet") and not values.text("format"):
        for row in rows:
            session.print(row["ID"])
        return 0
    columns = ("ID", "CreatedSince", "CreatedBy", "Size", "Comment")
    print_rows(
        session, rows, columns, template=values.text("format"), headers={"ID": "IMAGE", "CreatedSince": "CREATED"}
    )
    return 0


def split_reference(name: str) -> tuple[str, str]:
    """Return (repository, tag) of a name; the tag is ``latest`` when there is none.

    Raises:
        InvalidArgument: it is empty, or names a digest, which cannot be given.
    """
    if not name or "@" in name:
        raise InvalidArgument(
            "invalid reference format" if not name else "refusing to create a tag with a digest reference"
        )
    repository, colon, tag = name.rpartition(":")
    if not colon or "/" in tag:
        return name, "latest"
    return repository, tag


def _tag(session: Session, _: Values, arguments: list[str]) -> int:
    repository, tag = split_reference(arguments[1])
    Images(session.client).tag(arguments[0], repository=repository, tag=tag)
    return 0


def _print_deleted(session: Session, deleted: list[Document]) -> None:
    for item in deleted:
        if text(item, "Deleted"):
            session.print(f"Deleted: {text(item, 'Deleted')}")
        else:
            session.print(f"Untagged: {text(item, 'Untagged')}")


def _rmi(session: Session, values: Values, names: list[str]) -> int:
    images = Images(session.client)

    def removed(name: str) -> list[Document]:
        return images.remove(
            name, force=values.on("force"), no_prune=values.on("no-prune"), platforms=values.items("platform")
        )

    def remove(name: str) -> None:
        _print_deleted(session, removed(name))

    return session.each(names, remove, echo=False, forgive=(NotFound,) if values.on("force") else ())


def _squash(session: Session, values: Values, arguments: list[str]) -> int:
    repository, tag = split_reference(values.text("tag")) if values.text("tag") else ("", "")
    made = Images(session.client).squash(
        arguments[0], base=values.text("base"), repository=repository, tag=tag, comment=values.text("message")
    )
    session.print(made)
    return 0


def _prune(session: Session, values: Values, _: list[str]) -> int:
    every = values.on("all")
    warning = "This will remove all images without at least one container associated to them."
    if not confirmed(values, warning if every else "This will remove all dangling images."):
        return 0
    filters = {**parse_filters(values.items("filter")), "dangling": ["false" if every else "true"]}
    answer = Images(session.client).prune(filters)
    deleted = as_documents(answer.get("ImagesDeleted"))
    if deleted:
        session.print("Deleted Images:")
        _print_deleted(session, deleted)
        session.print()
    session.print(f"Total reclaimed space: {human_size(number(answer, 'SpaceReclaimed'))}")
    return 0


COMMANDS = (
    Command(
        "images", _images, "List images", arguments="[REPOSITORY[:TAG]]", count=(0, 1),
        flags=(
            Flag("all", "bool", "Also those that only lead to others", short="a"),
            Flag("digests", "bool", "Their digests too"),
            Flag("filter", "list", "Only some, such as dangling=true", short="f"),
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("no-trunc", "bool", "Whole ids"),
            Flag("quiet", "bool", "Only ids", short="q"),
            Flag("tree", "bool", "The images for each platform below their name"),
        ),
        examples=("wharf images debian", "wharf images --tree", "wharf images --format '{{.Repository}} {{.Size}}'"),
    ),
    Command(
        "history", _history, "Show an image's layers", arguments="IMAGE", count=(1, 1),
        flags=(
            Flag("format", "string", "'table', 'table TEMPLATE', 'json' or a template"),
            Flag("human", "bool", "Sizes and times in words", short="H", default=True),
            Flag("no-trunc", "bool", "Whole ids and instructions"),
            Flag("platform", "string", "Which of an image for several: os/architecture[/variant]"),
            Flag("quiet", "bool", "Only ids", short="q"),
        ),
        examples=("wharf history busybox",),
    ),
    Command(
        "tag", _tag, "Give an image one more name", arguments="SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]", count=(2, 2),
        examples=("wharf tag app:1.2 app:stable",),
    ),
    Command(
        "rmi", _rmi, "Remove images", arguments="IMAGE [IMAGE...]", count=(1, None),
        flags=(
            Flag("force", "bool", "Also what containers use", short="f"),
            Flag("no-prune", "bool", "Keep untagged parents"),
            Flag("platform", "list", "Only the image for this one: os/architecture[/variant]"),
        ),
        examples=("wharf rmi app:1.2", "wharf rmi --platform linux/arm64 app:1.2"),
    ),
    Command(
        "image squash", _squash, "Make an image's layers one", arguments="IMAGE", count=(1, 1),
        flags=(
            Flag("base", "string", "An image below it whose layers stay as they are"),
            Flag("message", "string", "A comment in its history", short="m"),
            Flag("tag", "string", "The new image's name", short="t"),
        ),
        examples=("wharf image squash app:1.2 -t app:flat", "wharf image squash --base debian app:1.2 -t app:3"),
    ),
    Command(
        "image prune", _prune, "Remove unused images",
        flags=(
            Flag("all", "bool", "All that no container uses, not only those without a name", short="a"),
            Flag("filter", "list", "Only some, such as until=24h"),
            Flag("force", "bool", "Do not ask", short="f"),
        ),
        examples=("wharf image prune -af",),
    ),
)  # fmt: skip
