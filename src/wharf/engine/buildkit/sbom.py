"""What software is in a result: an image of the client's choice is run on its files (BuildKit, sbom-protocol)."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

import msgspec

from wharf.build.convert.options import ImageName, Options
from wharf.build.graph.operations import Exec, Mount, Source
from wharf.build.graph.vertex import Description, Edge, Vertex
from wharf.build.operations.results import Layers, Result
from wharf.build.solver.solver import Solver
from wharf.engine.buildkit.attests import Sbom
from wharf.engine.buildkit.failures import described
from wharf.engine.buildkit.job import Job
from wharf.errors import InvalidArgument, WharfError
from wharf.images.image_set import Predicate
from wharf.images.platform import host
from wharf.kernel.openat2 import open_in_root

SPDX: Final = "https://spdx.dev/Document"
_SCHEME: Final = "wharf-layers"
_OUT: Final = "/run/out"
_SOURCE: Final = "/run/src/core/sbom"
_EXTRAS: Final = "/run/src/extras"
_CORE: Final = "sbom"  # of the result, whose statement comes first
_MAX_BYTES: Final = 40 << 20
_MAX_FILES: Final = 1000


class _Statement(msgspec.Struct):
    """What is said of something (in-toto, "Statement")."""

    type: str = msgspec.field(name="predicateType")
    predicate: dict[str, object]
    subject: list[dict[str, object]] | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """What is scanned."""

    name: str  # what people are told of it
    result: Layers
    besides: Mapping[str, Result] = field(default_factory=dict)  # stages that it needed, and its context


async def scanned(job: Job, asked: Sbom, targets: Scanned) -> list[Predicate]:
    """Return what a scanner says of a result, and of what it was made of.

    Args:
        job: whose result it is.
        asked: the scanner.
        targets: what is scanned.

    Raises:
        NotFound: there is no such image.
        InvalidArgument: it has no command, or what it writes is not what the protocol says.
        CallFailed: it failed.
    """
    sources = job.sources()
    with ExitStack() as held:
        image = ImageName(asked.generator, host())
        options = Options(host=host(), platform=host())
        base = await sources.base_image(image, options, held)
        execution = base.config.get("config") or {}
        arguments = [*(execution.get("Entrypoint") or []), *(execution.get("Cmd") or [])]
        if not arguments:
            raise InvalidArgument(f"scanner {asked.generator} does not have cmd")
        environment = [
            *(execution.get("Env") or []),
            f"BUILDKIT_SCAN_DESTINATION={_OUT}",
            f"BUILDKIT_SCAN_SOURCE={_SOURCE}",
            *([f"BUILDKIT_SCAN_SOURCE_EXTRAS={_EXTRAS}/"] if targets.besides else []),
            *(f"BUILDKIT_SCAN_{key}={value}" for key, value in sorted(asked.parameters.items())),
        ]
        program = Source(f"docker-image://{asked.generator}", (("image.digest", base.digest),))
        scanner = Vertex(program, (), str(host()), Description(f"[{targets.name}] FROM {asked.generator}"))
        there, mounts, inputs = _mounted(targets)
        mounts = [
            Mount("/", 0, output=0),
            Mount("/tmp", type="tmpfs"),  # noqa: S108  # the scanner's own
            Mount(_OUT, output=1),
            *mounts,
        ]
        working = execution.get("WorkingDir") or "/"
        command = Exec(tuple(arguments), tuple(environment), working, mounts=tuple(mounts))
        about = Description(f"[{targets.name}] generating sbom using {asked.generator}")
        run = Vertex(command, (scanner.output(), *inputs), str(host()), about)

        async def fetch(vertex: Vertex, source: Source) -> Result:
            return there[source] if source in there else await sources.fetch(vertex, source)

        job.journal.announce(run.output(1))
        try:
            async with Solver(job.bench.workshop({}), fetch, job.offers, job.progress) as solver:
                found = await solver.solve(run.output(1))
                return await asyncio.to_thread(_read, job, found)
        except WharfError as error:
            raise described(error) from error


def _mounted(targets: Scanned) -> tuple[dict[Source, Result], list[Mount], list[Edge]]:
    """Return what a scanner sees: results as sources, where they are mounted, and those that are its inputs."""
    where: list[tuple[str, str, Result]] = [("the result", _SOURCE, targets.result)]
    where += [(name, f"{_EXTRAS}/sbom-{name}", one) for name, one in sorted(targets.besides.items())]
    there, mounts, inputs = dict[Source, Result](), list[Mount](), list[Edge]()
    for what, path, result in where:
        if result == Layers():
            mounts.append(Mount(path, read_only=True))
            continue
        source = Source(f"{_SCHEME}://{result.chain_id if isinstance(result, Layers) else path}")
        inputs.append(Vertex(source, description=Description(f"[{targets.name}] {what}")).output())
        mounts.append(Mount(path, len(inputs), read_only=True))
        there[source] = result
    return there, mounts, inputs


def _read(job: Job, result: Result) -> list[Predicate]:
    with job.bench.store.open(result) as root:
        if root is None:
            return []
        names = sorted(os.listdir(root), key=lambda name: (name.partition(".")[0] != _CORE, name))
        if len(names) > _MAX_FILES:
            raise InvalidArgument(f"the scanner has written {len(names)} files: at most {_MAX_FILES} are read")
        found, left = [], _MAX_BYTES
        for name in names:
            data = read_in(root, name, left)
            left -= len(data)
            found.append(_predicate(name, data))
        return found


def read_in(root: int, name: str, limit: int) -> bytes:
    """Return a file that a scanner has written: it is not believed to be one.

    Raises:
        InvalidArgument: it is none, cannot be read, or has more than ``limit`` bytes.
    """
    try:
        fd = open_in_root(root, name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise InvalidArgument(f"the scanner's {name} is no file")
            with open(fd, "rb", closefd=False) as file:
                data = file.read(limit + 1)
        finally:
            os.close(fd)
    except OSError as error:
        raise InvalidArgument(f"the scanner's {name} cannot be read: {error.strerror}") from error
    if len(data) > limit:
        raise InvalidArgument(f"what the scanner has written is larger than {_MAX_BYTES} bytes")
    return data


def _predicate(name: str, data: bytes) -> Predicate:
    """Return what a scanner has written: a statement, as BuildKit's scanners do, or its predicate alone."""
    try:
        written = msgspec.json.decode(data, type=dict[str, object])
        if "predicateType" not in written:
            return Predicate(SPDX, written, file_name=name)
        stated = msgspec.convert(written, _Statement)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"the scanner's {name} is no JSON document: {error}") from None
    if stated.type != SPDX:
        raise InvalidArgument(f"the scanner's {name} is of the type {stated.type}: only {SPDX} is taken")
    return Predicate(SPDX, stated.predicate, tuple(stated.subject or ()), name)
