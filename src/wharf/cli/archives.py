"""Images to and from archives, and base images from nothing."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.images import split_reference
from wharf.cli.progress import show_progress
from wharf.cli.streams import write_all
from wharf.client.http1 import File
from wharf.client.images import Images
from wharf.errors import InvalidArgument, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _read(path: str) -> File:
    """Return a file to be sent, stdin for an empty path. It is opened before this returns."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if path else os.dup(0)
    except OSError as error:
        raise InvalidArgument(f"open {path}: {(error.strerror or '').lower()}") from error
    return File(descriptor)


def _load(session: Session, values: Values, _: list[str]) -> int:
    if not values.text("input") and os.isatty(0):
        raise InvalidArgument("requested load from stdin, but stdin is empty")
    archive = _read(values.text("input"))
    show_progress(
        Images(session.client).load(archive, quiet=values.on("quiet"), platform=values.items("platform")), sys.stdout
    )
    return 0


def _save(session: Session, values: Values, names: list[str]) -> int:
    path = values.text("output")
    if not path and os.isatty(1):
        raise InvalidArgument("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    write_archive(Images(session.client).save(names, platform=values.items("platform")), path, "failed to save image")
    return 0


def write_archive(chunks: Iterator[bytes], path: str, failure: str) -> None:
    """Write an archive to a file, or to stdout for an empty path.

    Raises:
        WharfError: the file cannot be written; the message begins with ``failure``.
    """
    if not path:
        for data in chunks:
            write_all(1, data)
        return
    from wharf.client.drafts import NotReplaceable, whole_file  # noqa: PLC0415  # shutil is heavy

    try:
        with whole_file(path) as file:
            for data in chunks:
                file.write(data)
    except NotReplaceable as error:
        raise InvalidArgument(f"{failure}: {error}") from error
    except OSError as error:
        raise WharfError(f"{failure}: {path}: {(error.strerror or '').lower()}") from error


def _import(session: Session, values: Values, arguments: list[str]) -> int:
    source, name = arguments[0], arguments[1] if len(arguments) > 1 else ""
    repository, tag = split_reference(name) if name else ("", "")
    remote = source.startswith(("http://", "https://"))
    stream = Images(session.client).import_archive(
        None if remote else _read("" if source == "-" else source),
        source=source if remote else "-",
        repository=repository,
        tag=tag,
        message=values.text("message"),
        changes=values.items("change"),
        platform=values.text("platform"),
    )
    show_progress(stream, sys.stdout)
    return 0


def _bootstrap(session: Session, values: Values, arguments: list[str]) -> int:
    packages = [package for text in values.items("include") for package in text.split(",") if package]
    stream = Images(session.client).bootstrap(arguments[0], include=packages, tag=values.text("tag"))
    show_progress(stream, None if values.on("quiet") else sys.stderr)
    return 0


COMMANDS = (
    Command(
        "load", _load, "Load images from an archive",
        flags=(
            Flag("input", "string", "The archive; stdin unless given", short="i"),
            Flag("quiet", "bool", "No progress", short="q"),
            Flag("platform", "list", "Only images for this one: os/architecture[/variant]"),
        ),
        examples=("wharf load -i app.tar", "wharf load < app.tar"),
    ),
    Command(
        "save", _save, "Save images to an archive", arguments="IMAGE [IMAGE...]", count=(1, None),
        flags=(
            Flag("output", "string", "The archive; stdout unless given", short="o"),
            Flag("platform", "list", "Only the image for this one: os/architecture[/variant]"),
        ),
        examples=("wharf save -o app.tar app:1.2",),
    ),
    Command(
        "import", _import, "Make an image of a root file system's archive",
        arguments="file|URL|- [REPOSITORY[:TAG]]", count=(1, 2),
        flags=(
            Flag("change", "list", "A Dockerfile instruction for its configuration", short="c"),
            Flag("message", "string", "Its comment", short="m"),
            Flag("platform", "string", "os/architecture of what is in it"),
        ),
        examples=("tar -C root -c . | wharf import -c 'CMD [\"sh\"]' - mine:latest",),
    ),
    Command(
        "image bootstrap", _bootstrap, "Make a base image on this machine, with no registry", arguments="NAME",
        count=(1, 1),
        flags=(
            Flag("include", "list", "More packages to put in, with commas between"),
            Flag("quiet", "bool", "No progress", short="q"),
            Flag("tag", "string", "The image's name, when it is not NAME", short="t"),
        ),
        examples=("wharf image bootstrap busybox", "wharf image bootstrap debian:bookworm --include nginx -t web"),
    ),
)  # fmt: skip
