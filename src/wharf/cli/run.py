"""``wharf run`` and ``wharf create``."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command
from wharf.cli.create import api_socket
from wharf.cli.create.document import attached, create_document
from wharf.cli.create.flags import CONTAINER_FLAGS
from wharf.cli.failures import describe, from_engine, start_exit_code
from wharf.cli.flags import Flag
from wharf.cli.terminal import size_of
from wharf.client.containers import Containers
from wharf.client.documents import as_document, number, section, text, texts
from wharf.errors import InvalidArgument, NotFound, Unavailable, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.client.client import Response
    from wharf.client.documents import Document
    from wharf.client.http1 import Wire

# What the engine can make by itself (`wharf image bootstrap`).
BOOTSTRAPPABLE = ("busybox", "debian")


def create(session: Session, values: Values, arguments: list[str]) -> int:
    """Create a container and print its id."""
    document = create_document(values, arguments, os.environ)
    try:
        session.print(_create(session, values, document))
    except WharfError as error:
        if not from_engine(error):
            raise
        session.warn(describe(error))
        return 1
    return 0


def run(session: Session, values: Values, arguments: list[str]) -> int:
    """Create and start a container; in the foreground its exit code is ours."""
    document = create_document(values, arguments, os.environ, console=size_of(1))
    if values.on("detach") and values.items("attach"):
        session.warn("conflicting options: cannot specify both --attach and --detach")
        return 1  # as below
    if values.on("detach"):
        return run_detached(session, values, document)
    from wharf.cli.foreground import check_tty  # noqa: PLC0415  # not with -d

    try:
        check_tty(stdin="stdin" in attached(values), tty=values.on("tty"))
    except InvalidArgument as error:
        session.warn(describe(error))
        return 1  # not 125, which speaks of the engine: docker's exit code too
    return run_attached(session, values, document)


def run_detached(
    session: Session, values: Values, document: Document, prepare: Callable[[str], None] | None = None
) -> int:
    """Create a container, ``prepare`` it, start it and print its id."""
    if values.items("attach"):
        raise InvalidArgument("conflicting options: cannot specify both --attach and --detach")
    document.update(AttachStdin=False, AttachStdout=False, AttachStderr=False, StdinOnce=False)
    container_id = _create(session, values, document)
    if prepare is not None:
        prepare(container_id)
    try:
        Containers(session.client).start(container_id, detach_keys=values.text("detach-keys"))
    except WharfError as error:
        return _start_failed(session, error)
    session.print(container_id)
    return 0


def run_attached(
    session: Session, values: Values, document: Document, prepare: Callable[[str], None] | None = None
) -> int:
    """Create a container, ``prepare`` it, and run it in the foreground; return its exit code."""
    from wharf.cli.foreground import Foreground  # noqa: PLC0415  # not with -d

    tty, streams = values.on("tty"), attached(values)
    containers = Containers(session.client)
    container_id = _create(session, values, document)
    if prepare is not None:
        prepare(container_id)
    forward = values.on("sig-proxy")  # with a terminal too, as docker: its keys are no signals, but kill(1) sends one
    foreground = Foreground(
        stdin="stdin" in streams,
        tty=tty,
        detach_keys=values.text("detach-keys"),
        forward=(lambda name: containers.kill(container_id, name)) if forward else None,
        resize=lambda rows, columns: containers.resize(container_id, height=rows, width=columns),
    )
    wire = _attach(containers, container_id, streams, values)
    # Registered before the start: what exits at once is still seen to exit.
    exit_answer = containers.wait(container_id, condition="removed" if values.on("rm") else "next-exit")
    failure: list[WharfError] = []

    def begin() -> None:
        try:
            containers.start(container_id, detach_keys=values.text("detach-keys"))
        except WharfError as error:
            failure.append(error)
            raise

    try:
        detached = foreground.converse(wire, begin)
    except WharfError as error:
        if not failure:
            raise
        return _start_failed(session, error)
    return 0 if detached else exit_code(exit_answer)


def _attach(containers: Containers, container_id: str, streams: set[str], values: Values) -> Wire:
    return containers.attach(
        container_id,
        stdin="stdin" in streams,
        stdout="stdout" in streams,
        stderr="stderr" in streams,
        detach_keys=values.text("detach-keys"),
    )


def exit_code(answer: Response) -> int:
    """Wait for the exit and return its code.

    Raises:
        WharfError: the engine could not wait.
    """
    document = as_document(answer.json())
    failure = text(section(document, "Error"), "Message")
    if failure:
        raise WharfError(failure)
    return number(document, "StatusCode")


def _start_failed(session: Session, error: WharfError) -> int:
    session.warn(f"wharf: {describe(error)}\n\nRun 'wharf run --help' for more information")
    return start_exit_code(error)


def _create(session: Session, values: Values, document: Document) -> str:
    """Create the container, making its image first where it is missing and can be made; return the id.

    Raises:
        WharfError: it cannot be created, or the id's file exists.
    """
    pull = values.text("pull")
    if pull not in {"always", "missing", "never"}:
        raise InvalidArgument(f'invalid pull option: \'{pull}\': must be one of "always", "missing" or "never"')
    cidfile = values.text("cidfile")
    if cidfile and os.path.exists(cidfile):
        raise InvalidArgument(
            f"container ID file found, make sure the other container isn't running or delete {cidfile}"
        )
    credentials = api_socket.mounted(document, session.host, os.environ) if values.on("use-api-socket") else b""
    made = _create_with_image(session, values, document)
    if credentials:
        api_socket.hand_over(Containers(session.client), text(made, "Id"), credentials)
    for warning in texts(made, "Warnings"):
        session.warn(f"WARNING: {warning}")
    if cidfile:
        with open(cidfile, "x", encoding="ascii") as file:
            file.write(text(made, "Id"))
    return text(made, "Id")


def _create_with_image(session: Session, values: Values, document: Document) -> Document:
    containers = Containers(session.client)
    name, platform = values.text("name"), values.text("platform")
    if values.text("pull") == "always":
        _pull(session, values, text(document, "Image"))
    try:
        return containers.create(document, name=name, platform=platform)
    except NotFound as error:
        image = text(document, "Image")
        if "no such image" not in str(error).lower() or values.text("pull") == "never":
            raise
        _obtain(session, values, image)
    return containers.create(document, name=name, platform=platform)


def _obtain(session: Session, values: Values, image: str) -> None:
    """Pull an image that is missing; make it on this machine where no registry can be reached and it can be made."""
    from wharf.cli.pull import with_tag  # noqa: PLC0415  # only where an image is missing

    session.warn(f"Unable to find image '{with_tag(image)}' locally")
    try:
        _pull(session, values, image)
    except Unavailable as error:
        if not _can_bootstrap(image):
            raise
        session.warn(f"{describe(error)}: making it on this machine")
        _bootstrap(session, image, quiet=values.on("quiet"))


def _pull(session: Session, values: Values, image: str) -> None:
    from wharf.cli.pull import pull_image  # noqa: PLC0415  # only where an image is missing

    out = None if values.on("quiet") else sys.stderr
    pull_image(session, image, platform=values.text("platform"), out=out)


def _can_bootstrap(image: str) -> bool:
    short = image.removeprefix("docker.io/").removeprefix("library/")
    return short.partition(":")[0] in BOOTSTRAPPABLE and "@" not in short


def _bootstrap(session: Session, image: str, *, quiet: bool) -> None:
    from wharf.cli.progress import show_progress  # noqa: PLC0415  # only where an image is missing
    from wharf.client.images import Images  # noqa: PLC0415

    show_progress(Images(session.client).bootstrap(image), None if quiet else sys.stderr)


_EXAMPLES = (
    "wharf run --rm busybox echo hi",
    "wharf run -it --rm busybox sh",
    "wharf run -d --name web -p 8080:80 -v site:/www busybox httpd -f -h /www",
    "wharf run --rm -m 256m --cpus 1.5 debian:bookworm nproc",
)

COMMANDS = (
    Command(
        "run",
        run,
        "Create and run a new container from an image",
        arguments="IMAGE [COMMAND] [ARG...]",
        flags=(
            *CONTAINER_FLAGS,
            Flag("detach", "bool", "Leave it in the background and print its id", short="d"),
            Flag("detach-keys", "string", "The keys that leave it running, such as ctrl-p,ctrl-q"),
            Flag("sig-proxy", "bool", "Pass signals on to it", default=True),
        ),
        count=(1, None),
        examples=_EXAMPLES,
        interspersed=False,
        failure=125,
    ),
    Command(
        "create",
        create,
        "Create a new container",
        arguments="IMAGE [COMMAND] [ARG...]",
        flags=CONTAINER_FLAGS,
        count=(1, None),
        examples=("wharf create --name db -v data:/var/lib/db postgres", "wharf start db"),
        interspersed=False,
        failure=125,
    ),
)
