"""cp: files between a container and this machine, or as a tar archive on stdin and stdout."""

from __future__ import annotations

import os
import posixpath

from wharf.cli.command import Command
from wharf.cli.copy.rules import Place, asserts_folder, followed_name, parse_end, plan, split_entry
from wharf.cli.flags import Flag
from wharf.cli.streams import write_all
from wharf.client.containers import Containers
from wharf.client.documents import number, text
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.documents import Document

_DIRECTORY, _SYMLINK = 1 << 31, 1 << 27  # Go's os.FileMode
_MOST_SYMLINKS = 10


def copy(session: Session, values: Values, arguments: list[str]) -> int:
    """Copy between a container and this machine."""
    (source, source_path), (target, target_path) = map(parse_end, arguments)
    if source and target:
        raise InvalidArgument("copying between containers is not supported")
    if not source and not target:
        raise InvalidArgument("must specify at least one container source")
    work = _Copy(session, values)
    if source:
        work.out_of(source, source_path, target_path)
    else:
        work.into(target, source_path, target_path)
    return 0


class _Copy:
    def __init__(self, session: Session, values: Values) -> None:
        self._session = session
        self._containers = Containers(session.client)
        self._follow = values.on("follow-link")
        self._archive = values.on("archive")
        self._quiet = values.on("quiet") if values.given("quiet") else not os.isatty(1)

    def out_of(self, container: str, path: str, here: str) -> None:
        """Copy from the container."""
        if here != "-":
            here = os.path.abspath(here) + ("/" if asserts_folder(here) else "")
            if not os.path.isdir(os.path.dirname(here.rstrip("/")) or "/"):
                raise InvalidArgument(
                    f'invalid output path: directory "{os.path.dirname(here.rstrip("/"))}" does not exist'
                )
        renamed = ""
        if self._follow:
            path, renamed = self._followed(container, path)
        stat, chunks = self._containers.archive(container, path)
        if here == "-":
            for chunk in chunks:
                write_all(1, chunk)
            return
        from wharf.cli.copy.unpacking import Chunks, unpack  # noqa: PLC0415  # tarfile is heavy

        source = Place(path, exists=True, folder=bool(number(stat, "mode") & _DIRECTORY))
        made = plan(source, _local_target(here))
        old = split_entry(path)[1]
        if renamed and not made.old:
            made = made._replace(old=old, new=renamed)
        archive = Chunks(chunks)
        unpack(archive, made, owners=self._archive and os.geteuid() == 0)
        self._say(archive.size, here)

    def into(self, container: str, here: str, path: str) -> None:
        """Copy to the container."""
        target = self._target(container, path)
        if here == "-":
            if not target.folder:
                raise InvalidArgument(f'destination "{container}:{path}" must be a directory')
            self._containers.extract(container, target.path, _stdin(), own=self._archive)
            return
        from wharf.cli.copy.packing import Packed, local_source  # noqa: PLC0415  # tarfile is heavy

        source = local_source(here, follow=self._follow)
        made = plan(source, target)
        archive = Packed(source, made)
        self._containers.extract(container, made.folder, archive, own=self._archive, keep_kinds=True)
        self._say(archive.size, f"{container}:{path}")

    def _followed(self, container: str, path: str) -> tuple[str, str]:
        stat = self._containers.archive_stat(container, path)
        if not number(stat, "mode") & _SYMLINK:
            return path, ""
        return followed_name(path, posixpath.join(posixpath.dirname(path), text(stat, "linkTarget")))

    def _target(self, container: str, path: str) -> Place:
        try:
            stat: Document = self._containers.archive_stat(container, path)
            if number(stat, "mode") & _SYMLINK:
                path = posixpath.join(posixpath.dirname(path), text(stat, "linkTarget"))
                stat = self._containers.archive_stat(container, path)
        except NotFound:
            return Place(path, exists=False)
        return Place(path, exists=True, folder=bool(number(stat, "mode") & _DIRECTORY))

    def _say(self, size: int, where: str) -> None:
        if not self._quiet:
            self._session.warn(f"Successfully copied {human_size(size, digits=3)} to {where}")


def _local_target(here: str) -> Place:
    """Return what is at a local destination, which may be a symlink to what does not exist yet."""
    for _ in range(_MOST_SYMLINKS):
        if not os.path.islink(here.rstrip("/")):
            break
        here = os.path.join(os.path.dirname(here.rstrip("/")), os.readlink(here.rstrip("/")))
    if os.path.lexists(here):
        return Place(here, exists=True, folder=os.path.isdir(here))
    if not os.path.isdir(os.path.dirname(here.rstrip("/"))):
        raise InvalidArgument("no such directory")
    return Place(here, exists=False)


def _stdin() -> Iterable[bytes]:
    while data := os.read(0, 1 << 18):
        yield data


def export(session: Session, values: Values, arguments: list[str]) -> int:
    """Write a container's file system as an archive."""
    path = values.text("output")
    if not path and os.isatty(1):
        raise InvalidArgument("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    from wharf.cli.archives import write_archive  # noqa: PLC0415

    write_archive(Containers(session.client).export(arguments[0]), path, "failed to export container")
    return 0


def _diff(session: Session, _: Values, arguments: list[str]) -> int:
    for change in Containers(session.client).changes(arguments[0]):
        session.print(f"{'CAD'[number(change, 'Kind')]} {text(change, 'Path')}")
    return 0


def commit(session: Session, values: Values, arguments: list[str]) -> int:
    """Make an image of what a container has changed."""
    from wharf.cli.images import split_reference  # noqa: PLC0415

    repository, tag = split_reference(arguments[1]) if len(arguments) > 1 else ("", "")
    made = Containers(session.client).commit(
        arguments[0],
        repository=repository,
        tag=tag,
        author=values.text("author"),
        message=values.text("message"),
        changes=values.items("change"),
        pause=values.on("pause") and not values.on("no-pause"),
    )
    session.print(made)
    return 0


COMMANDS = (
    Command(
        "cp", copy, "Copy files between a container and this machine",
        arguments="CONTAINER:SRC_PATH DEST_PATH|-  or  SRC_PATH|- CONTAINER:DEST_PATH", count=(2, 2),
        flags=(
            Flag("archive", "bool", "Keep owners: the container's user there, the archive's here", short="a"),
            Flag("follow-link", "bool", "Copy what a symlink in SRC_PATH leads to", short="L"),
            Flag("quiet", "bool", "Say nothing; so by default without a terminal", short="q"),
        ),
        examples=("wharf cp web:/etc/nginx/nginx.conf .", "tar -c site | wharf cp - web:/srv"),
    ),
    Command(
        "export", export, "Write a container's file system as a tar archive", arguments="CONTAINER", count=(1, 1),
        flags=(Flag("output", "string", "The archive; stdout unless given", short="o"),),
        examples=("wharf export -o root.tar web",),
    ),
    Command(
        "diff", _diff, "Show what a container has changed of its image", arguments="CONTAINER", count=(1, 1),
        examples=("wharf diff web",),
    ),
    Command(
        "commit", commit, "Make an image of a container's changes", arguments="CONTAINER [REPOSITORY[:TAG]]",
        count=(1, 2),
        flags=(
            Flag("author", "string", "Who made it", short="a"),
            Flag("change", "list", "A Dockerfile instruction for its configuration", short="c"),
            Flag("message", "string", "Its comment", short="m"),
            Flag("pause", "bool", "Freeze the container meanwhile", short="p", default=True),
            Flag("no-pause", "bool", "Let the container run meanwhile"),
        ),
        examples=("wharf commit -c 'CMD [\"nginx\"]' web web:2",),
    ),
)  # fmt: skip
