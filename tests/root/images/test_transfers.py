"""Pull and push, with Debian's docker-registry as the other side."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from tests.root.images.conftest import Store, imported, loaded, tar
from tests.root.images.test_indexes import OTHER, two_platforms
from tests.root.registry import PROGRAM, registry

from wharf.errors import NotFound, Unavailable
from wharf.images.images import Images
from wharf.images.origins import Origins
from wharf.images.registry.credentials import ANONYMOUS, Credentials
from wharf.images.registry.hosts import RegistryOptions, origin
from wharf.images.registry.repository import Repository
from wharf.images.registry.retrying import Patience
from wharf.images.registry.transport import Transport, Waiting
from wharf.images.registry.upload import Uploaded, Uploads

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed"),
]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with registry(tmp_path_factory.mktemp("registry")) as address:
        yield address


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Store]:
    """A second machine."""
    store = Store(tmp_path / "other")
    yield store
    asyncio.run(store.aclose())


def documents(stream: AsyncIterator[dict[str, object]], store: Store) -> list[dict[str, object]]:
    async def gather() -> list[dict[str, object]]:
        try:
            return [item async for item in stream]
        finally:
            await store.reopen()

    return asyncio.run(gather())


def push(store: Store, name: str, credentials: Credentials = ANONYMOUS) -> list[dict[str, object]]:
    return documents(store.images.transfers.push(name, credentials=credentials), store)


def pull(
    store: Store, name: str, platform: str | None = None, credentials: Credentials = ANONYMOUS
) -> list[dict[str, object]]:
    return documents(store.images.transfers.pull(name, platform=platform, credentials=credentials), store)


def statuses(told: list[dict[str, object]]) -> list[str]:
    return [str(document.get("status")) for document in told]


def test_what_is_pushed_here_is_pulled_there_with_the_same_digests(host: str, store: Store, other: Store) -> None:
    asyncio.run(imported(store, tar(f=b"x" * 100_000), f"{host}/a/b", tag="1"))
    told = push(store, f"{host}/a/b:1")

    assert told[0] == {"status": f"The push refers to repository [{host}/a/b]"}
    assert "Pushed" in statuses(told)
    mine = store.images.resolve(f"{host}/a/b:1")
    assert told[-1]["aux"] == {"Tag": "1", "Digest": mine.manifest_digest, "Size": mine.manifest_bytes}

    told = pull(other, f"{host}/a/b:1")

    theirs = other.images.resolve(f"{host}/a/b:1")
    assert (theirs.id, theirs.manifest_digest, theirs.chain_id) == (mine.id, mine.manifest_digest, mine.chain_id)
    known = {"Pull": [{"Repository": f"{host}/a/b"}]}
    assert [Origins(one.database).of(mine.id) for one in (store, other)] == [known, known]
    assert theirs.repo_digests == mine.repo_digests == [f"{host}/a/b@{mine.manifest_digest}"]
    assert statuses(told)[0] == "Pulling from a/b"
    assert "Pull complete" in statuses(told)
    assert statuses(told)[-2:] == [
        f"Digest: {mine.manifest_digest}",
        f"Status: Downloaded newer image for {host}/a/b:1",
    ]


def test_a_second_pull_fetches_nothing(host: str, store: Store, other: Store) -> None:
    asyncio.run(imported(store, tar(f=b"y" * 1000), f"{host}/twice", tag="1"))
    push(store, f"{host}/twice:1")
    pull(other, f"{host}/twice:1")
    told = pull(other, f"{host}/twice:1")

    assert statuses(told)[-1] == f"Status: Image is up to date for {host}/twice:1"
    assert "Pulling fs layer" not in statuses(told)


def test_image_that_only_another_name_led_to_is_news(host: str, store: Store) -> None:
    asyncio.run(imported(store, tar(f=b"z" * 1000), f"{host}/known", tag="1"))
    push(store, f"{host}/known:1")
    asyncio.run(store.images.tag(f"{host}/known:1", repository="other", tag="1"))
    asyncio.run(store.images.remove(f"{host}/known:1"))
    told = pull(store, f"{host}/known:1")

    assert statuses(told)[-1] == f"Status: Downloaded newer image for {host}/known:1"
    assert "Pulling fs layer" not in statuses(told)


def test_a_second_push_sends_nothing(host: str, store: Store) -> None:
    asyncio.run(imported(store, tar(f=b"z" * 1000), f"{host}/again", tag="1"))
    push(store, f"{host}/again:1")

    assert "Pushed" not in statuses(push(store, f"{host}/again:1"))
    asyncio.run(store.images.tag(f"{host}/again:1", repository=f"{host}/elsewhere", tag="1"))
    assert "Mounted from again" in statuses(push(store, f"{host}/elsewhere:1"))


def test_layers_that_are_here_are_not_fetched_again(host: str, store: Store, other: Store, tmp_path: Path) -> None:
    from wharf.images.committing import CommitRequest
    from wharf.lib.reference import parse_reference

    asyncio.run(imported(store, tar(f=b"base"), f"{host}/base", tag="1"))
    push(store, f"{host}/base:1")
    pull(other, f"{host}/base:1")
    upper = tmp_path / "upper"
    upper.mkdir()
    (upper / "new").write_text("new")
    base = store.images.resolve(f"{host}/base:1")
    asyncio.run(
        store.images.commit(CommitRequest(base, lambda: nullcontext(upper), {}, parse_reference(f"{host}/derived:1")))
    )
    push(store, f"{host}/derived:1")

    told = statuses(pull(other, f"{host}/derived:1"))
    assert (told.count("Already exists"), told.count("Pull complete")) == (1, 1)
    derived = other.images.resolve(f"{host}/derived:1")
    with other.snapshots.open_image(derived.chain_id) as fd:
        assert fd is not None
        assert sorted(os.listdir(fd)) == ["f", "new"]


def test_an_index_is_pushed_whole_and_pulled_by_platform(host: str, store: Store, other: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))
    asyncio.run(store.images.tag("many:1", repository=f"{host}/many", tag="1"))
    told = push(store, f"{host}/many:1")
    assert told[-1]["aux"]["Digest"] == index["digest"]  # type: ignore[index]

    pull(other, f"{host}/many:1", f"linux/{OTHER}")
    assert other.images.resolve(f"{host}/many:1").config["architecture"] == OTHER
    pull(other, f"{host}/many:1")
    assert other.images.resolve(f"{host}/many:1").config["architecture"] != OTHER
    assert other.images.resolve(f"{host}/many:1", f"linux/{OTHER}").config["architecture"] == OTHER
    assert set(layout.blobs) - set(other.content.digests()) == set()
    assert len(asyncio.run(other.images.list())) == 1

    with pytest.raises(NotFound, match="no matching manifest for linux/s390x in the manifest list entries"):
        pull(other, f"{host}/many:1", "linux/s390x")


def test_an_image_is_pulled_by_its_digest(host: str, store: Store, other: Store) -> None:
    asyncio.run(imported(store, tar(f=b"digest"), f"{host}/digest", tag="1"))
    push(store, f"{host}/digest:1")
    name = f"{host}/digest@{store.images.resolve(f'{host}/digest:1').manifest_digest}"
    pull(other, name)

    assert (other.images.resolve(name).tags, other.images.resolve(name).repo_digests) == ([], [name])


def test_all_tags_come_when_none_is_named(host: str, store: Store, other: Store) -> None:
    for tag in ("1", "2"):
        asyncio.run(imported(store, tar(f=tag.encode()), f"{host}/tags", tag=tag))
    push(store, f"{host}/tags")
    pull(other, f"{host}/tags")

    listed = sorted(item.get("RepoTags") or [] for item in asyncio.run(other.images.list()))
    assert listed == [[f"{host}/tags:1"], [f"{host}/tags:2"]]


def test_what_is_not_there_is_said_in_dockers_words(host: str, store: Store) -> None:
    asyncio.run(imported(store, tar(f=b"1"), f"{host}/known", tag="1"))
    push(store, f"{host}/known:1")

    with pytest.raises(NotFound, match=rf"^manifest for {host}/known:2 not found: manifest unknown"):
        pull(store, f"{host}/known:2")
    with pytest.raises(NotFound, match=rf"^An image does not exist locally with the tag: {host}/none$"):
        push(store, f"{host}/none:1")


def test_a_registry_that_is_not_there_is_unavailable(store: Store) -> None:
    store.images = quick(store, RegistryOptions())
    with pytest.raises(Unavailable, match=r"cannot reach 127\.0\.0\.1:1"):
        pull(store, "127.0.0.1:1/a:1")


def quick(store: Store, options: RegistryOptions) -> Images:
    """Images that do not wait between attempts."""
    waiting = Waiting(patience=Patience(attempts=2, first_s=0.001))
    return Images(store.data, store.database, store.content, store.snapshots, registries=options, waiting=waiting)


def test_a_mirror_of_docker_hub_is_asked_first(host: str, store: Store, other: Store) -> None:
    asyncio.run(imported(store, tar(f=b"mirrored"), f"{host}/library/mirrored", tag="1"))
    push(store, f"{host}/library/mirrored:1")
    other.images = quick(other, RegistryOptions(mirrors={"docker.io": ("http://127.0.0.1:1", f"http://{host}")}))
    pull(other, "mirrored:1")

    assert other.images.resolve("mirrored:1").tags == ["mirrored:1"]


def test_the_rest_of_a_registry_works_too(host: str, store: Store) -> None:
    asyncio.run(imported(store, tar(f=b"rest"), f"{host}/rest", tag="1"))
    push(store, f"{host}/rest:1")
    digest = store.images.resolve(f"{host}/rest:1").manifest_digest
    transfers = store.images.transfers

    async def talk() -> tuple[object, ...]:
        from wharf.images.registry.hosts import origin
        from wharf.images.registry.transport import Transport

        transport = Transport(RegistryOptions())
        try:
            repository = Repository(transport.connect(origin(host, RegistryOptions())), "rest", Waiting())
            tags, referrers = await repository.tags(), await repository.referrers(digest)
            inspected = await transfers.distribution(f"{host}/rest:1", credentials=ANONYMOUS)
            await repository.delete_manifest(digest)
            with pytest.raises(NotFound):
                await repository.manifest("1")
            return tags, referrers, inspected.get("Descriptor", {}).get("digest")  # type: ignore[union-attr]
        finally:
            await transport.aclose()
            await store.images.aclose()

    assert asyncio.run(talk()) == (["1"], [], digest)


def test_a_large_blob_goes_in_chunks_and_comes_whole(host: str, store: Store) -> None:
    data = os.urandom(1_000_000)
    digest = store.content.add(data)

    async def send() -> bytes:
        transport = Transport(RegistryOptions())
        try:
            repository = Repository(transport.connect(origin(host, transport.options)), "chunks/a", Waiting())
            uploads = Uploads(repository, Waiting(), chunk_bytes=300_000)

            async def read(start: int, end: int) -> AsyncIterator[bytes]:
                yield data[start:end]

            assert await uploads.blob(digest, len(data), read) == (Uploaded.PUSHED, "")
            assert await uploads.blob(digest, len(data), read) == (Uploaded.EXISTED, "")
            other = Repository(transport.connect(origin(host, transport.options)), "chunks/b", Waiting())
            mounted = await Uploads(other, Waiting()).blob(digest, len(data), read, ["chunks/a"])
            assert mounted == (Uploaded.MOUNTED, "chunks/a")
            return b"".join([piece async for piece in other.blob(digest, len(data))])
        finally:
            await transport.aclose()

    assert asyncio.run(send()) == data


def test_other_mirrors_are_asked_after_a_reload_and_as_many_downloads_made(store: Store) -> None:
    transfers = store.images.transfers
    before = transfers.mirrors("docker.io")
    store.images.reload(RegistryOptions(mirrors={"docker.io": ("http://mirror:5000",)}, downloads=1))

    assert store.images.transfers is transfers
    assert transfers.mirrors("docker.io") == ["mirror:5000", *before]
    asyncio.run(store.images.aclose())
