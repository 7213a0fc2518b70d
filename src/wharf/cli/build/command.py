"""wharf build and wharf builder prune."""

from __future__ import annotations

import os
import sys

from wharf.cli.build.context import Context
from wharf.cli.command import Command
from wharf.cli.confirm import confirmed
from wharf.cli.flags import Flag, one_of
from wharf.cli.output import parse_filters
from wharf.cli.progress import display
from wharf.client.builds import Builds
from wharf.client.credentials import config_header
from wharf.client.documents import as_document, as_documents, number, section, text, texts
from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps
from wharf.lib.sizes import human_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wharf.cli.command import Session
    from wharf.cli.flags import Values
    from wharf.cli.progress import Plain, Terminal

_CHUNK = 1 << 18
_PROGRESS = ("auto", "plain", "tty", "quiet", "rawjson")
_REMOTE = ("http://", "https://", "git://", "ssh://", "git@", "github.com/")


def _stdin() -> Iterator[bytes]:
    while data := os.read(0, _CHUNK):
        yield data


def _source(path: str, values: Values, query: dict[str, str | int | bool | list[str] | None]) -> Iterable[bytes]:
    """Return the archive to send, and put what belongs to it into the query."""
    dockerfile = values.text("file")
    if path.startswith(_REMOTE):
        query |= {"remote": path, "dockerfile": dockerfile}
        return ()
    if path == "-":
        if dockerfile == "-":
            raise InvalidArgument("invalid argument: can't use stdin for both build context and dockerfile")
        query["dockerfile"] = dockerfile
        head = os.read(0, _CHUNK)
        if not _is_text(head):
            return _chain(head)
        query["dockerfile"], archive = _alone(head + b"".join(_stdin()))
        return archive
    given = b"".join(_stdin()) if dockerfile == "-" else None
    folder = Context(path, "" if dockerfile == "-" else dockerfile, given)
    query["dockerfile"] = folder.dockerfile
    return folder.archive()


def _alone(data: bytes) -> tuple[str, Iterable[bytes]]:
    import tempfile  # noqa: PLC0415  # only for a Dockerfile on stdin

    with tempfile.TemporaryDirectory() as folder:
        context = Context(folder, text=data)
        return context.dockerfile, list(context.archive())


def _chain(head: bytes) -> Iterator[bytes]:
    yield head
    yield from _stdin()


def _is_text(head: bytes) -> bool:
    """Whether stdin's first bytes are a Dockerfile's: neither a compressed archive's nor a plain one's."""
    return not head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")) and head[257:262] != b"ustar"


def _pairs(items: list[str], *, from_environment: bool) -> str | None:
    """Return key=value options as JSON; a key alone takes its value from our environment, or is not sent."""
    pairs: dict[str, str] = {}
    for item in items:
        name, equals, value = item.partition("=")
        if equals or not from_environment:
            pairs[name] = value
        elif name in os.environ:
            pairs[name] = os.environ[name]
    return dumps(pairs) if pairs else None


def _ulimits(items: list[str]) -> str | None:
    limits = []
    for item in items:
        name, _, bounds = item.partition("=")
        soft, _, hard = bounds.partition(":")
        if not name or not soft.lstrip("-").isdigit() or not (hard or soft).lstrip("-").isdigit():
            raise InvalidArgument(f"invalid ulimit argument: {item}")
        limits.append({"Name": name, "Soft": int(soft), "Hard": int(hard or soft)})
    return dumps(limits) if limits else None


LIMITS = {"memswap": "memory-swap", "cpuperiod": "cpu-period", "cpuquota": "cpu-quota", "cpushares": "cpu-shares"}
"""Limits of commands that are numbers, as builders call them, and their flags."""
_MODERN = (
    "secret", "ssh", "output", "push", "build-context", "no-cache-filter", "metadata-file", "progress", "cache-to",
    "allow", "annotation", "attest", "provenance", "sbom", "debug",
)  # fmt: skip


def _build(session: Session, values: Values, arguments: list[str]) -> int:
    path = arguments[0]
    if not values.on("rm"):
        raise InvalidArgument("--rm=false: no command's container is kept here: --debug starts a shell in its files")
    asked = [name for name in _MODERN if values.given(name)]
    classic = os.environ.get("DOCKER_BUILDKIT") == "0" or path == "-"
    if classic and asked:
        why = "a context on stdin" if path == "-" else "DOCKER_BUILDKIT=0"
        raise InvalidArgument(f"--{asked[0]} does not go with {why}")
    if classic or _call(values)[0] != "build":
        return _build_classic(session, values, arguments)
    from wharf.cli.build.modern import build  # noqa: PLC0415  # protobuf and asyncio are heavy

    return build(session, values, path, remote=path.startswith(_REMOTE))


def _build_classic(session: Session, values: Values, arguments: list[str]) -> int:
    query: dict[str, str | int | bool | list[str] | None] = {
        "t": values.items("tag"),
        "target": values.text("target"),
        "nocache": values.on("no-cache") or None,
        "pull": values.on("pull") or None,
        "buildargs": _pairs(values.items("build-arg"), from_environment=True),
        "labels": _pairs(values.items("label"), from_environment=False),
        "networkmode": values.text("network"),
        "extrahosts": [host.replace("=", ":", 1) for host in values.items("add-host")],
        "platform": values.text("platform"),
        "shmsize": values.number("shm-size") or None,
        "ulimits": _ulimits(values.items("ulimit")),
        "cgroupparent": values.text("cgroup-parent"),
        "memory": values.number("memory") or None,
        **{name: values.number(flag) or None for name, flag in LIMITS.items()},
        "cpusetcpus": values.text("cpuset-cpus"),
        "cpusetmems": values.text("cpuset-mems"),
        "cachefrom": dumps(known) if (known := values.items("cache-from")) else None,
    }
    context = _source(arguments[0], values, query)
    call, form = _call(values)
    if call != "build":
        query["call"] = call
        return _answered(session, Builds(session.client).build(context, query), call, form)
    documents = Builds(session.client).build(context, query, registries=config_header(os.environ))
    image, code = _follow(session, documents, quiet=values.on("quiet"))
    if code:
        return code
    if path := values.text("iidfile"):
        with open(path, "w", encoding="utf-8") as file:
            file.write(image)
    if values.on("quiet"):
        session.print(image)
    return 0


def _call(values: Values) -> tuple[str, str]:
    """Return what is asked for, ``build`` by default, and how it is to be shown: text or json."""
    asked = "check" if values.on("check") else values.text("call") or "build"
    call, *options = asked.split(",")
    form = "text"
    for option in options:
        name, _, form = option.partition("=")
        if name != "format" or form not in ("text", "json"):
            raise InvalidArgument(f'invalid option "{option}" of --call: it takes format=text or format=json')
    if call not in ("build", "check", "lint", "outline", "targets"):
        raise InvalidArgument(f'invalid --call "{call}": it is build, check, outline or targets')
    return call, form


def _answered(session: Session, documents: Iterable[object], call: str, form: str) -> int:
    """Show the answer to a question about a Dockerfile; return its exit code."""
    for item in documents:
        document = as_document(item)
        if said := text(document, "error"):
            session.warn(said)
            return 1
        answer = section(document, "aux")
        if form == "json":
            session.print(dumps(section(answer, "document")))
        else:
            if call in ("check", "lint"):
                session.print(_summary(len(as_documents(section(answer, "document").get("warnings")))))
            sys.stdout.write(text(answer, "text"))
        return number(answer, "code")
    session.warn("the engine did not answer: it does not know --call")
    return 1


def _summary(count: int) -> str:
    if not count:
        return "Check complete, no warnings found."
    return f"Check complete, {count} warning{'s have' if count > 1 else ' has'} been found!"


def _follow(session: Session, documents: Iterable[object], *, quiet: bool) -> tuple[str, int]:
    """Show what the engine says; return the image's id, and the exit code of a command that failed."""
    image = ""
    kept: list[str] = []
    pulling: Plain | Terminal | None = None
    for item in documents:
        document = as_document(item)
        image = text(section(document, "aux"), "ID") or image
        if said := text(document, "error"):
            sys.stderr.write("".join(kept))  # with --quiet, what a failed build has said is wanted after all
            sys.stderr.write(text(section(document, "errorDetail"), "excerpt"))
            session.warn(said)
            return "", number(section(document, "errorDetail"), "code") or 1
        news = text(document, "stream")
        if quiet:
            kept.append(news)
            continue
        if text(document, "status"):  # of an image that is pulled
            pulling = pulling or display(sys.stdout)
            pulling.show(document)
            continue
        pulling = None
        sys.stdout.write(news)
        sys.stdout.flush()
    return image, 0


def _prune(session: Session, values: Values, _: list[str]) -> int:
    if not confirmed(values, "This will remove the results of earlier builds."):
        return 0
    answer = Builds(session.client).prune(
        all_results=values.on("all"),
        keep_bytes=values.number("keep-storage"),
        filters=parse_filters(values.items("filter")),
    )
    if deleted := texts(answer, "CachesDeleted"):
        session.print("Deleted build cache objects:\n" + "\n".join(deleted) + "\n")
    session.print(f"Total reclaimed space: {human_size(number(answer, 'SpaceReclaimed'))}")
    return 0


COMMANDS = (
    Command(
        "build", _build, "Build an image from a Dockerfile", arguments="PATH | URL | -", count=(1, 1),
        flags=(
            Flag("add-host", "list", "A name and its address for commands, name:address"),
            Flag("allow", "list", "What commands may do beyond their sandbox: network.host, security.insecure"),
            Flag("annotation", "list", "An annotation of the image, [index|manifest:]key=value"),
            Flag("attest", "list", "Something to say of the image, type=provenance|sbom,…"),
            Flag("build-arg", "list", "An argument, name=value"),
            Flag("build-context", "list", "One more context, name=FOLDER|ADDRESS|docker-image://IMAGE"),
            Flag("call", "string", "What to do: build, or only tell: check, outline, targets[,format=json]"),
            Flag("check", "bool", "Look at the Dockerfile only, as --call=check"),
            Flag("builder", "string", refusal="engines build themselves: choose one with --host or --context"),
            Flag("cache-from", "list", "A cache to take results from: an image, or type=registry|local,…"),
            Flag("cache-to", "list", "A cache to write results to: type=inline|registry|local[,mode=max],…"),
            Flag("cgroup-parent", "string", "The control group of commands"),
            Flag("compress", "bool", refusal="what is sent of a context is little: what has changed"),
            Flag("cpu-period", "int", "The period that --cpu-quota is of, in microseconds"),
            Flag("cpu-quota", "int", "The processor time of commands in each period, in microseconds"),
            Flag("cpu-shares", "int", "The weight of commands where processors are short", short="c"),
            Flag("cpuset-cpus", "string", "The processors of commands, such as 0-3,1"),
            Flag("cpuset-mems", "string", "The memory nodes of commands, such as 0-3,1"),
            Flag("debug", "bool", "When a step fails, start a shell in its files; on a terminal"),
            Flag("file", "string", "The Dockerfile; PATH/Dockerfile by default, - for stdin", short="f"),
            Flag("force-rm", "bool", "Keep no container of a command; so it is in any case"),
            Flag("iidfile", "string", "A file to write the image's id to"),
            Flag("isolation", "string", "How commands are isolated: default", check=one_of(("default",))),
            Flag("label", "list", "A label of the image, key=value"),
            Flag("load", "bool", "Keep the image in the engine, besides other outputs; alone it is kept in any case"),
            Flag("memory", "bytes", "The memory of each command", short="m"),
            Flag("memory-swap", "bytes", "Their memory and swap together; -1 for any amount of swap"),
            Flag("network", "string", "The network of commands: default, none, host or a network's name"),
            Flag("metadata-file", "string", "A file to write what is known of the result to, as JSON"),
            Flag("no-cache", "bool", "Use no results of earlier builds"),
            Flag("no-cache-filter", "list", "Use none for this stage"),
            Flag("output", "list", "Where to: a folder, -, or type=image|local|tar|oci|docker,dest=…", short="o"),
            Flag("platform", "string", "os/architecture[/variant] of the image"),
            Flag("policy", "list", refusal="policies of sources are not looked at"),
            Flag("pull", "bool", "Ask the registry for newer base images"),
            Flag("progress", "string", "auto, plain, tty, quiet or rawjson", check=one_of(_PROGRESS)),
            Flag("provenance", "string", "Say how the image was made: true, or mode=min|max,version=v1,…"),
            Flag("push", "bool", "Send the image to its registry when it is built"),
            Flag("quiet", "bool", "Only the image's id; what was said when it fails", short="q"),
            Flag("sbom", "string", "Say what software is in it: true, or generator=IMAGE that scans it"),
            Flag("rm", "bool", "Keep no container of a command that succeeds; so it is in any case", default=True),
            Flag("resource", "list", refusal="limits of commands are --memory, --cpu-quota and the like"),
            Flag("secret", "list", "A secret for commands that mount it: id=NAME,src=FILE or id=NAME,env=VARIABLE"),
            Flag("security-opt", "list", refusal="commands of builds run with the engine's own profiles"),
            Flag("shm-size", "bytes", "The size of /dev/shm for commands"),
            Flag("squash", "bool", refusal="make one layer of the image afterwards: wharf image squash"),
            Flag("ssh", "list", "An SSH agent for commands that mount it: default or NAME=SOCKET"),
            Flag("tag", "list", "The image's name, and more than one", short="t"),
            Flag("target", "string", "The stage to build; the last one by default"),
            Flag("ulimit", "list", "A limit of commands, name=soft[:hard]"),
        ),
        examples=(
            "wharf build -t app .",
            "wharf build -t app -f docker/Dockerfile --build-arg V=2 .",
            "wharf build --secret id=token,env=TOKEN -o dist .",
            "wharf build --cache-to type=local,dest=cache --cache-from type=local,src=cache .",
            "wharf build --check .",
            "wharf build --debug .",
        ),
    ),
    Command(
        "builder prune", _prune, "Remove the results of earlier builds",
        flags=(
            Flag("all", "bool", "Everything that no build uses; so it is in any case", short="a"),
            Flag("filter", "list", "Only some, such as until=24h"),
            Flag("force", "bool", "Do not ask", short="f"),
            Flag("keep-storage", "bytes", "Bytes of the newest results to keep"),
        ),
        examples=("wharf builder prune -f",),
    ),
)  # fmt: skip
