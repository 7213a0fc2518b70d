"""kill -9 in the middle of pulls, pushes, loads and prunes; the store must be whole after each, and pulls frugal."""

from __future__ import annotations

import asyncio
import gzip
import io
import os
import random
import tarfile
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from tests.root.registry import registry

from chaos.killing import kill, timed
from chaos.relay import Relay
from wharf.images.check import Depth
from wharf.images.images import Images
from wharf.images.intake import encode_config
from wharf.images.registry.credentials import ANONYMOUS
from wharf.lib.digest import digest_of
from wharf.spec.oci_image import ImageConfig
from wharf.storage.content import ContentStore
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots

VERBS: Final = ("pull", "push", "load", "prune")
_LAYERS, _FILES, _FILE_BYTES = 5, 60, 12_000
_OVERHEAD_BYTES = 64 * 1024  # of a pull: heads, manifests, configuration


class _Store:
    """One data root, opened as an engine does."""

    def __init__(self, path: Path) -> None:
        self.data = DataRoot(path)
        path.mkdir(mode=0o711, exist_ok=True)
        self.database = Database(self.data.database)
        self.content = ContentStore(self.data)
        self.snapshots = Snapshots(self.data, self.database)
        self.images = Images(self.data, self.database, self.content, self.snapshots)

    async def close(self) -> None:
        await self.images.aclose()
        self.database.close()


@dataclass(slots=True)
class _Run:
    """What one run of chaos works with."""

    folder: Path
    relay: Relay
    archive: bytes
    chance: random.Random
    typical_s: dict[str, float] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        return self.folder / "root"

    @property
    def name(self) -> str:
        return f"{self.relay.address}/chaos/image:1"


def chaos(folder: Path, points: int, seed: int) -> list[str]:
    """Kill at ``points`` instants, the verbs in turn; return what was wrong after the first that left a store broken.

    Args:
        folder: an empty one; the store and the registry live in it.
        points: how often.
        seed: decides the instants.
    """
    with registry(folder / "registry") as address:
        run = _Run(folder, Relay(address), _archive(random.Random(seed)), random.Random(seed))
        try:
            asyncio.run(_publish(run))
            for verb in VERBS:
                run.typical_s[verb] = timed(verb, partial(_live, run, verb))
            for point in range(points):
                verb = VERBS[point % len(VERBS)]
                after_s = run.chance.uniform(0, run.typical_s[verb])
                kill(partial(_live, run, verb), after_s)
                if wrong := asyncio.run(_what_is_wrong(run)):
                    return [f"point {point}, {verb} after {after_s * 1e3:.0f} ms: {each}" for each in wrong]
        finally:
            run.relay.close()
    return []


def _archive(chance: random.Random) -> bytes:
    """Return an image layout's archive whose layers share nothing with the pulled image's."""
    return _layout([_layer(chance, f"loaded{number}") for number in range(_LAYERS)])


def _layer(chance: random.Random, name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        files = _FILES * (4 if name.endswith("0") else 1)  # so large that a process of its own unpacks it
        for number in range(files):
            member = tarfile.TarInfo(f"{name}/d{number % 7}/f{number}")
            member.size = chance.randrange(2 * _FILE_BYTES)
            archive.addfile(member, io.BytesIO(chance.randbytes(member.size)))
    return buffer.getvalue()


def _layout(layers: list[bytes]) -> bytes:
    """Return an archive of docker save."""
    config: ImageConfig = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
    }
    raw = encode_config(config)
    names = [f"{number}.tar" for number in range(len(layers))]
    manifest = f'[{{"Config":"c.json","RepoTags":["loaded:1"],"Layers":{names!r}}}]'.replace("'", '"').encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in [("c.json", raw), ("manifest.json", manifest), *zip(names, layers, strict=True)]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


async def _publish(run: _Run) -> None:
    """Give the registry the image that is pulled; its layers are compressed."""
    store = _Store(run.folder / "publisher")
    try:
        await store.images.start()
        layers = [_layer(run.chance, f"pulled{number}") for number in range(_LAYERS)]
        await _drain(store.images.load(_pieces(gzip.compress(_layout(layers)))))
        record = store.images.resolve("loaded:1")
        await store.images.tag(record.id, repository=run.name.removesuffix(":1"), tag="1")
        await _drain(store.images.transfers.push(run.name, credentials=ANONYMOUS))
    finally:
        await store.close()


async def _pieces(data: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(data), 50_000):
        yield data[at : at + 50_000]


async def _drain(documents: AsyncIterator[object]) -> None:
    async for _ in documents:
        pass


async def _pull(run: _Run, store: _Store) -> None:
    await _drain(store.images.transfers.pull(run.name, credentials=ANONYMOUS))


async def _push(run: _Run, store: _Store) -> None:
    repository = f"{run.relay.address}/chaos/pushed{run.chance.randrange(10**9)}"
    await store.images.tag("loaded:1", repository=repository, tag="1")
    await _drain(store.images.transfers.push(f"{repository}:1", credentials=ANONYMOUS))


async def _load(run: _Run, store: _Store) -> None:
    await _drain(store.images.load(_pieces(run.archive)))


async def _prune(_run: _Run, store: _Store) -> None:
    for image in await store.images.list():
        await store.images.remove(str(image.get("Id")), force=True)
    await store.images.prune({})


_DO: Final[dict[str, Callable[[_Run, _Store], Coroutine[object, object, None]]]] = {
    "pull": _pull,
    "push": _push,
    "load": _load,
    "prune": _prune,
}
_BEFORE: Final = {"pull": (), "push": ("load",), "load": (), "prune": ("pull", "load")}
"""What a verb needs to have something to do. A pull goes on from whatever the last kill has left."""


async def _live(run: _Run, verb: str, begun: int) -> None:
    run.chance.seed(os.getpid())
    store = _Store(run.root)
    await store.images.start()
    for before in _BEFORE[verb]:
        await _DO[before](run, store)
    os.write(begun, b"b")
    await _DO[verb](run, store)
    await store.close()


async def _what_is_wrong(run: _Run) -> list[str]:
    """Open the store as the next engine does, and check it; every few times also what a repeated pull costs."""
    store = _Store(run.root)
    try:
        await store.images.start()
        wrong = await _findings(store)
        if run.chance.random() < 0.5:
            missing = _missing_bytes(run, store)
            before = run.relay.received
            await _pull(run, store)
            fetched = run.relay.received - before
            if fetched > missing + _OVERHEAD_BYTES:
                wrong.append(f"a repeated pull fetched {fetched} bytes where {missing} were missing")
            wrong += await _findings(store)
            if run.chance.random() < 0.7:  # else the next pull has nothing to do
                await _prune(run, store)
        return wrong
    finally:
        await store.close()


async def _findings(store: _Store) -> list[str]:
    found = [f"{f.kind} {f.subject}: {f.problem}" async for f in store.images.check(Depth())]
    left = [str(path) for path in store.data.ingest.iterdir()]
    left += [str(path) for path in (store.data.content / "ingest").iterdir() if path.suffix != ".part"]
    return found + [f"left: {path}" for path in left]


def _missing_bytes(run: _Run, store: _Store) -> int:
    """Return what a pull has to fetch: of each blob what is not stored, and not begun."""
    publisher = _Store(run.folder / "publisher")
    try:
        sizes = {digest: publisher.content.size(digest) for digest in publisher.content.digests()}
    finally:
        publisher.database.close()
    return sum(
        size - store.content.begun(digest) for digest, size in sizes.items() if not store.content.exists(digest)
    )
