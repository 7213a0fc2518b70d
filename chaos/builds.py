"""kill -9 in the middle of builds; nothing of them may be left for the next engine, which must build the same."""

from __future__ import annotations

import asyncio
import io
import os
import random
import tarfile
from collections.abc import AsyncIterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

from tests.root.world import EMPTY, observe

import wharf
from chaos.killing import kill, timed
from wharf.storage.layout import DataRoot, run_root_of

_FILES: Final = 120
_BASE: Final = "chaos-base"
_DOCKERFILE: Final = f"""
FROM {_BASE} AS one
COPY . /c
RUN --mount=type=cache,target=/cache i=0; \\
    while [ $i -lt 40 ]; do echo {{nonce}} $i > /f$i; echo $i > /cache/f$i; i=$((i+1)); done
FROM {_BASE} AS two
RUN --mount=type=bind,target=/b i=0; for f in /b/*; do cat $f > /dev/null; done; sleep 0.05; echo {{nonce}} > /two
FROM {_BASE}
COPY --from=one /c /c
COPY --from=two /two /
ADD inner.tar /inner/
RUN [ -s /c/f1 ] && [ -s /two ] && [ -s /inner/x ]
"""


def chaos(folder: Path, points: int, seed: int) -> list[str]:
    """Kill at ``points`` instants of builds; return what was wrong after the first that left something behind.

    Args:
        folder: an empty one; the data root lives in it.
        points: how often.
        seed: decides the instants.
    """
    chance, root = random.Random(seed), folder / "root"
    asyncio.run(_import(root, _base()))
    typical_s = timed("a build", partial(_live, root, "undisturbed"))
    for point in range(points):
        after_s = chance.uniform(0, 1.1 * typical_s)
        kill(partial(_live, root, f"point {point}"), after_s)
        if wrong := asyncio.run(_what_is_wrong(root, f"point {point}" if chance.random() < 0.3 else "")):
            return [f"point {point}, build after {after_s * 1e3:.0f} ms: {each}" for each in wrong]
    return []


def _context(nonce: str) -> bytes:
    inner = _tar({"x": b"inner"})
    files = {f"f{number}": b"%d\n" % number * (4_000 if number % 3 else 1) for number in range(_FILES)}
    return _tar({"Dockerfile": _DOCKERFILE.format(nonce=nonce).encode(), "inner.tar": inner, **files})


def _tar(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 20_000):
        yield data[at : at + 20_000]


def _base() -> bytes:
    """Return the archive of the root that builds start from: the machine's static busybox."""
    shell = Path("/bin/busybox").resolve().read_bytes()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo("bin/busybox")
        member.size, member.mode = len(shell), 0o755
        archive.addfile(member, io.BytesIO(shell))
        for applet in ("sh", "echo", "sleep", "cat", "["):
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return buffer.getvalue()


async def _import(root: Path, archive: bytes) -> None:
    async with wharf.Engine(root) as engine:
        work = engine.images.import_(
            _pieces(archive), repository=_BASE, tag="latest", message=None, changes=(), platform=None
        )
        async for _ in work:
            pass


async def _build(engine: wharf.Engine, nonce: str) -> str:
    """Build, and return why it failed, "" when it did not."""
    error = ""
    async for line in engine.builds.build(_pieces(_context(nonce)), {"t": ["made"], "networkmode": "none"}):
        error = str(line.get("error") or error)
    return error


async def _live(root: Path, nonce: str, begun: int) -> None:
    async with wharf.Engine(root) as engine:
        os.write(begun, b"b")
        if error := await _build(engine, nonce):
            raise RuntimeError(error)


async def _what_is_wrong(root: Path, nonce: str) -> list[str]:
    """Open an engine as the next one does; look at what is left, at the store, and with a nonce build again."""
    data, run = DataRoot(root), run_root_of(root)
    async with wharf.Engine(root) as engine:
        wrong = _left(data)
        wrong += [f"{found}" async for found in engine.system.check() if found.get("problem")]
        if nonce and (error := await _build(engine, nonce)):
            wrong.append(f"it cannot be built any more: {error}")
    world = asdict(observe(data, run))
    wrong += [f"{kind} are left: {sorted(names)}" for kind, names in world.items() if names != getattr(EMPTY, kind)]
    return wrong + _left(data) + [f"left: {path}" for path in run.build.rglob("*")]


def _left(data: DataRoot) -> list[str]:
    return [f"left: {path}" for folder in (data.ingest, data.build_work) for path in folder.iterdir()]
