"""What a pull makes of registries that fail, lie or are cut off."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import tarfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from tests.fakes.registry import FakeRegistry, Slept, breaks_off, fails, serving, waiting, well
from tests.root.images.conftest import Store, tar

from wharf.errors import DataLoss, InvalidArgument, NotFound, NotImplementedHere, Unavailable
from wharf.images.images import Images
from wharf.images.origins import Origins
from wharf.images.registry.credentials import ANONYMOUS
from wharf.images.registry.hosts import RegistryOptions
from wharf.lib.digest import Digest, digest_of, hex_of
from wharf.spec.oci_image import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST

pytestmark = pytest.mark.root

FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
LAYERS = [tar(**{f"f{n}": os.urandom(60_000)}) for n in range(3)]


def stock(
    fake: FakeRegistry, layers: list[bytes] = LAYERS, media_type: str = OCI_LAYER_GZIP, **more: object
) -> Digest:
    """Give the registry an image ``repo:1``."""
    stored = [gzip.compress(layer, mtime=0) for layer in layers]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in layers]},
        }
    ).encode()
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": OCI_CONFIG, "digest": fake.add(config), "size": len(config)},
        "layers": [{"mediaType": media_type, "digest": fake.add(one), "size": len(one)} for one in stored],
    }
    return fake.name("1", json.dumps(document).encode(), OCI_MANIFEST)


def pull(store: Store, fake: FakeRegistry, name: str = "repo:1") -> list[str]:
    async def gather() -> list[str]:
        async with serving(fake), fresh(store) as images:
            stream = images.transfers.pull(f"{fake.address}/{name}", credentials=ANONYMOUS)
            return [str(document.get("status")) async for document in stream]

    return asyncio.run(gather())


@asynccontextmanager
async def fresh(store: Store, slept: Slept | None = None) -> AsyncIterator[Images]:
    """The images as a new process has them."""
    images = Images(
        store.data,
        store.database,
        store.content,
        store.snapshots,
        registries=RegistryOptions(downloads=1),
        waiting=waiting(slept),
    )
    await images.start()
    store.images = images
    try:
        yield images
    finally:
        await images.aclose()


def fetched(fake: FakeRegistry) -> list[str]:
    """Which blobs were asked for."""
    return [asked.rpartition("/")[2] for asked in fake.asked if "/blobs/" in asked]


def test_an_image_comes_whole(store: Store) -> None:
    fake = FakeRegistry()
    digest = stock(fake)
    pull(store, fake)

    record = store.images.resolve(str(digest))
    assert [store.content.exists(Digest(d["digest"])) for d in record.manifest["layers"]] == [True] * 3
    assert len(store.snapshots.lower_dirs(record.chain_id)) == 3
    assert Origins(store.database).of(record.id) == {"Pull": [{"Repository": f"{fake.address}/repo"}]}
    assert list((store.content.root / "ingest").iterdir()) == []


def test_a_pull_of_what_is_here_asks_once_and_writes_nothing(store: Store) -> None:
    fake = FakeRegistry()

    async def gather() -> tuple[list[str], str]:
        async with serving(fake), fresh(store) as images:
            pulled_at = ""
            for _ in range(2):
                before = files(store)
                fake.asked = []
                stream = images.transfers.pull(f"{fake.address}/repo:1", credentials=ANONYMOUS)
                said = [str(document.get("status")) async for document in stream]
                # Who pulls by age has asked, and need not ask again.
                before_it, pulled_at = pulled_at, images.resolve(f"{fake.address}/repo:1").tagged_at
                assert pulled_at > before_it
            assert files(store) == before
            rows = store.database.query("SELECT DISTINCT updated_at FROM image_references")
            assert rows == [(pulled_at,)]
            await images.tag(f"{fake.address}/repo:1", repository="other", tag="1")  # what is read again has it too
            await images.remove("other:1")
            assert images.resolve(f"{fake.address}/repo:1").tagged_at == pulled_at
            return fake.asked, said[-1]

    stock(fake)

    asked, last = asyncio.run(gather())
    assert asked == ["HEAD /v2/repo/manifests/1"]
    assert last.startswith("Status: Image is up to date for ")


def files(store: Store) -> dict[str, tuple[int, int]]:
    """Every file of the store, and when it was made and changed."""
    found = [path for path in store.content.root.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_connections_that_break_off_are_taken_up_again(store: Store) -> None:
    fake = FakeRegistry()
    digest = stock(fake)
    first = fake.blobs[json.loads(fake.manifests["1"][0])["layers"][0]["digest"]]
    fake.faults = [fails(503), well, well, well, breaks_off(first[:10], len(first)), fails(500), well]
    pull(store, fake)

    assert store.images.resolve(str(digest)).manifest_digest == digest


def test_a_pull_that_failed_is_taken_up_where_it_was(store: Store) -> None:
    fake = FakeRegistry()
    digest = stock(fake)
    blobs = [d["digest"] for d in json.loads(fake.manifests["1"][0])["layers"]]
    first = fake.blobs[blobs[0]]
    fake.faults = [well, well, well, well, breaks_off(fake.blobs[blobs[1]][:30_000], len(first)), *[fails(500)] * 99]
    with pytest.raises(Unavailable):
        pull(store, fake)
    fake.faults, fake.asked, fake.headers = [], [], []
    pull(store, fake)

    assert blobs[0] not in fetched(fake)
    resumed = [h.get("Range") for a, h in zip(fake.asked, fake.headers, strict=True) if a.endswith(blobs[1])]
    assert resumed == ["bytes=30000-"]
    assert store.images.resolve(str(digest)).manifest_digest == digest


@pytest.mark.parametrize("whole", [True, False])
def test_what_a_power_failure_has_damaged_of_a_download_is_fetched_again(store: Store, whole: bool) -> None:
    fake = FakeRegistry()
    digest = stock(fake)
    victim = Digest(json.loads(fake.manifests["1"][0])["layers"][0]["digest"])
    size = len(fake.blobs[victim])
    fake.faults = [well, well, well, breaks_off(fake.blobs[victim][:30_000], size), *[fails(500)] * 99]
    with pytest.raises(Unavailable):
        pull(store, fake)
    (part,) = (store.content.root / "ingest").glob(f"{hex_of(victim)}*")
    part.write_bytes(bytes(size if whole else 30_000))  # it got its length, and nothing of what was in it
    fake.faults = []
    said = pull(store, fake)

    assert "What was here is damaged" in said
    assert store.images.resolve(str(digest)).manifest_digest == digest


def test_a_layer_of_another_digest_is_refused_and_forgotten(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake)
    victim = json.loads(fake.manifests["1"][0])["layers"][1]["digest"]
    good = fake.blobs[victim]
    fake.blobs[victim] = gzip.compress(tar(evil=os.urandom(70_000)))[: len(good)].ljust(len(good), b"\0")
    with pytest.raises(DataLoss, match=f"filesystem layer verification failed for digest {victim}"):
        pull(store, fake)
    fake.blobs[victim] = good
    pull(store, fake)

    assert store.content.exists(Digest(victim))


def test_a_configuration_that_lies_about_a_layer_is_refused(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake)
    manifest = json.loads(fake.manifests["1"][0])
    config = json.loads(fake.blobs[manifest["config"]["digest"]])
    config["rootfs"]["diff_ids"][0] = digest_of(b"lie")
    raw = json.dumps(config).encode()
    manifest["config"] = {"mediaType": OCI_CONFIG, "digest": fake.add(raw), "size": len(raw)}
    fake.name("1", json.dumps(manifest).encode(), OCI_MANIFEST)
    with pytest.raises(InvalidArgument, match="its image says"):
        pull(store, fake)
    assert asyncio.run(store.images.list()) == []


def hostile_archive() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("../../escaped"))
    return buffer.getvalue()


def test_a_hostile_layer_is_the_images_fault(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake, [hostile_archive()])
    with pytest.raises(InvalidArgument, match="lies outside"):
        pull(store, fake)
    assert not (store.data.path.parent / "escaped").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (
            lambda fake: stock(fake, media_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
            "is foreign",
        ),
        (lambda fake: stock(fake, media_type=OCI_LAYER_GZIP + "+encrypted"), "is encrypted"),
        (
            lambda fake: fake.name(
                "1", b'{"schemaVersion":1}', "application/vnd.docker.distribution.manifest.v1+prettyjws"
            ),
            "manifest schema 1",
        ),
    ],
)
def test_what_cannot_be_had_is_refused_by_what_it_is(
    store: Store, spoil: Callable[[FakeRegistry], object], words: str
) -> None:
    fake = FakeRegistry()
    spoil(fake)
    with pytest.raises(NotImplementedHere, match=words):
        pull(store, fake)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{}", b'{"schemaVersion":2,"config":{},"layers":[]}', b'{"layers":1}'])
def test_nonsense_is_refused(store: Store, raw: bytes) -> None:
    fake = FakeRegistry()
    fake.name("1", raw, OCI_MANIFEST)
    with pytest.raises(InvalidArgument, match="invalid image"):
        pull(store, fake)


def test_what_is_not_there_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="manifest unknown"):
        pull(store, FakeRegistry(), "none:1")


@pytest.mark.parametrize("status", [429, 503])
def test_a_registry_that_has_had_enough_is_replaced_by_the_stored_copy(store: Store, status: int) -> None:
    fake = FakeRegistry()
    digest = stock(fake)

    async def twice() -> tuple[list[str], str]:
        async with serving(fake), fresh(store) as images:
            name = f"{fake.address}/repo:1"
            assert [document async for document in images.transfers.pull(name, credentials=ANONYMOUS)]
            fake.faults = [fails(status, "TOOMANYREQUESTS")] * 20
            told = [document async for document in images.transfers.pull(name, credentials=ANONYMOUS)]
            with pytest.raises(Unavailable):
                assert [d async for d in images.transfers.pull(f"{fake.address}/repo:2", credentials=ANONYMOUS)]
            return [str(document["status"]) for document in told], images.resolve(name).manifest_digest

    told, stored = asyncio.run(twice())
    assert "Registry is unavailable" in told[0]
    assert "Using the stored copy of" in told[1]
    assert stored == digest


def test_a_registry_that_is_gone_is_replaced_by_the_stored_copy_of_the_platform_alone(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake)
    pull(store, fake)
    name = f"{fake.address}/repo:1"

    async def again(platform: str | None = None) -> list[str]:
        async with fresh(store) as images:
            stream = images.transfers.pull(name, platform=platform, credentials=ANONYMOUS)
            return [str(document["status"]) async for document in stream]

    assert "Using the stored copy of" in asyncio.run(again())[-1]
    with pytest.raises(Unavailable):
        asyncio.run(again("linux/s390x"))


def test_two_pulls_at_once_fetch_each_blob_once(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake)

    async def both() -> None:
        async with serving(fake), fresh(store) as images:

            async def one() -> None:
                stream = images.transfers.pull(f"{fake.address}/repo:1", credentials=ANONYMOUS)
                assert [document async for document in stream]

            await asyncio.gather(one(), one())

    asyncio.run(both())
    assert len(fetched(fake)) == len(set(fetched(fake))) == 4


def under_way() -> set[str]:
    return {task.get_coro().__qualname__ for task in asyncio.all_tasks()}  # type: ignore[union-attr]  # a coroutine


def test_a_pull_whose_follower_leaves_stops_and_keeps_what_it_has(store: Store) -> None:
    fake = FakeRegistry()
    stock(fake)

    async def leave() -> None:
        async with serving(fake), fresh(store) as images:
            stream = images.transfers.pull(f"{fake.address}/repo:1", credentials=ANONYMOUS)
            async for document in stream:
                if document["status"] == "Pull complete":
                    break
            assert "Transfers._pull" in under_way()
            await stream.aclose()  # type: ignore[attr-defined]  # a generator
            assert not any(name.startswith(("Transfers.", "Pull.")) for name in under_way())

    asyncio.run(leave())
    assert asyncio.run(store.images.list()) == []
    fake.asked = []
    pull(store, fake)
    assert len(fetched(fake)) < 4
