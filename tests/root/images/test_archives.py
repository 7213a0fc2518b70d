from __future__ import annotations

import asyncio
import bz2
import gzip
import hashlib
import io
import json
import lzma
import tarfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import zstandard
from tests.root.images.conftest import Store, chunks, imported, loaded, saved, tar

from wharf.errors import InvalidArgument, NotFound

pytestmark = pytest.mark.root

LAYER = tar(etc__hello=b"hello\n", bin__sh=b"#!")


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config_of(*layers: bytes, **fields: object) -> bytes:
    document = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Cmd": ["sh"], "Env": None, "Entrypoint": None},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in layers]},
        "history": [{"created": "2020-01-01T00:00:00Z", "created_by": f"step {i}"} for i in range(len(layers))],
        **fields,
    }
    return json.dumps(document).encode()


def docker_archive(
    config: bytes, *layers: bytes, tags: list[str] | None = None, names: list[str] | None = None
) -> bytes:
    names = names or [f"{i}/layer.tar" for i in range(len(layers))]
    manifest = json.dumps([{"Config": "config.json", "RepoTags": tags, "Layers": names}]).encode()
    files = {name.replace("/", "__"): layer for name, layer in zip(names, layers, strict=True)}
    return tar(**files, **{"config.json": config, "manifest.json": manifest})


def blob(data: bytes) -> dict[str, bytes]:
    return {f"blobs__sha256__{digest(data)[7:]}": data}


def image_layout(config: bytes, *layers: bytes, annotations: dict[str, str] | None = None) -> bytes:
    kind = "application/vnd.oci.image."
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": f"{kind}manifest.v1+json",
            "config": {"mediaType": f"{kind}config.v1+json", "digest": digest(config), "size": len(config)},
            "layers": [{"mediaType": f"{kind}layer.v1.tar", "digest": digest(x), "size": len(x)} for x in layers],
        }
    ).encode()
    descriptor = {"mediaType": f"{kind}manifest.v1+json", "digest": digest(manifest), "size": len(manifest)}
    index = {"schemaVersion": 2, "manifests": [{**descriptor, "annotations": annotations or {}}]}
    files = blob(config) | blob(manifest)
    for layer in layers:
        files |= blob(layer)
    return tar(**{"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}, **files)


GOOD = docker_archive(config_of(LAYER), LAYER, tags=["app:1"])
BAD: dict[str, bytes] = {
    "garbage": b"garbage" * 500,
    "empty": b"",
    "cut short": GOOD[: len(GOOD) // 2],
    "damaged gzip": gzip.compress(GOOD)[:-20] + b"x" * 20,
    "no documents": tar(file=b"x"),
    "not JSON": tar(**{"manifest.json": b"{"}),
    "deep JSON": tar(**{"manifest.json": b"[" * 100_000}),
    "missing layer": docker_archive(config_of(LAYER, LAYER), LAYER)[:0] + tar(
        **{"config.json": config_of(LAYER), "manifest.json": b'[{"Config":"config.json","Layers":["x"]}]'}
    ),
    "layers left out": docker_archive(config_of(LAYER, LAYER), LAYER),
    "another layer": docker_archive(config_of(tar(other=b"x")), LAYER),
    "layer is no archive": docker_archive(config_of(b"nonsense" * 200), b"nonsense" * 200),
    "hostile layer": docker_archive(config_of(tar(**{"..__..__etc__x": b"x"})), tar(**{"..__..__etc__x": b"x"})),
    "windows": docker_archive(config_of(LAYER, os="windows"), LAYER),
    "wrong types": docker_archive(config_of(LAYER, config={"Env": "x"}), LAYER),
    "bad tag": docker_archive(config_of(LAYER), LAYER, tags=["UPPER:1"]),
    "blob is not its name": image_layout(config_of(LAYER), LAYER).replace(b"hello\n", b"HELLO\n"),
    "second image is bad": tar(
        **{
            "a.json": config_of(LAYER),
            "b.json": b"{}",
            "l.tar": LAYER,
            "manifest.json": b'[{"Config":"a.json","Layers":["l.tar"],"RepoTags":["a:1"]},'
            b'{"Config":"b.json","Layers":["l.tar"]}]',
        }
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_one_clear_error_and_leaves_nothing(store: Store, name: str) -> None:
    with pytest.raises(InvalidArgument) as error:
        asyncio.run(loaded(store, BAD[name]))

    assert "\n" not in str(error.value)
    assert store.leftovers() == []
    assert asyncio.run(store.images.list()) == []


def test_an_archive_of_older_docker_is_loaded(store: Store) -> None:
    second = tar(etc__two=b"2")
    archive = docker_archive(config_of(LAYER, second), LAYER, second, tags=["app:1", "app:latest"])

    assert asyncio.run(loaded(store, archive)) == ["Loaded image: app:1\n", "Loaded image: app:latest\n"]
    record = store.images.resolve("app")
    lower = store.snapshots.lower_dirs(record.chain_id)
    assert [sorted(p.name for p in path.glob("etc/*")) for path in lower] == [["two"], ["hello"]]
    assert asyncio.run(store.images.inspect("app:1")).get("RepoTags") == ["app:1", "app:latest"]


def test_a_layer_that_is_a_link_to_another_is_loaded(store: Store) -> None:
    buffer = io.BytesIO(docker_archive(config_of(LAYER, LAYER), LAYER, tags=["a:1"], names=["0/layer.tar"]))
    manifest = b'[{"Config":"config.json","RepoTags":["a:1"],"Layers":["0/layer.tar","1/layer.tar"]}]'
    out = io.BytesIO()
    with tarfile.open(fileobj=buffer) as old, tarfile.open(fileobj=out, mode="w") as new:
        for member in old:
            if member.name != "manifest.json":
                new.addfile(member, old.extractfile(member))
        link = tarfile.TarInfo("1/layer.tar")
        link.type, link.linkname = tarfile.SYMTYPE, "../0/layer.tar"
        new.addfile(link)
        member = tarfile.TarInfo("manifest.json")
        member.size = len(manifest)
        new.addfile(member, io.BytesIO(manifest))

    assert asyncio.run(loaded(store, out.getvalue())) == ["Loaded image: a:1\n"]
    assert len(store.snapshots.lower_dirs(store.images.resolve("a:1").chain_id)) == 2


def test_an_image_without_a_name_is_told_by_its_id(store: Store) -> None:
    config = config_of(LAYER)

    assert asyncio.run(loaded(store, image_layout(config, LAYER))) == [f"Loaded image ID: {digest(config)}\n"]


def test_an_image_layout_keeps_its_manifest(store: Store) -> None:
    name = {"io.containerd.image.name": "docker.io/me/app:2", "org.opencontainers.image.ref.name": "2"}
    archive = image_layout(config_of(LAYER), LAYER, annotations=name)

    assert asyncio.run(loaded(store, archive)) == ["Loaded image: me/app:2\n"]
    assert store.images.resolve("me/app:2").manifest_digest in {
        digest(p.read_bytes()) for p in (store.data.content / "blobs/sha256").iterdir()
    }


def test_an_image_of_no_layers_may_have_null_for_them(store: Store) -> None:
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": None}}
    ).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": ["empty:1"], "Layers": None}]).encode()
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in (("config.json", config), ("manifest.json", manifest)):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))

    assert asyncio.run(loaded(store, out.getvalue())) == ["Loaded image: empty:1\n"]


def test_a_saved_index_has_the_tag_beside_the_whole_name_as_dockers_has(store: Store) -> None:
    async def scenario() -> bytes:
        await imported(store, LAYER, "one")
        return await saved(store, "one")

    with tarfile.open(fileobj=io.BytesIO(asyncio.run(scenario()))) as archive:
        index = json.load(archive.extractfile("index.json"))  # type: ignore[arg-type]  # it is a file

    assert [descriptor["annotations"] for descriptor in index["manifests"]] == [
        {"io.containerd.image.name": "docker.io/library/one:latest", "org.opencontainers.image.ref.name": "latest"}
    ]


@pytest.mark.parametrize("compress", [gzip.compress, zstandard.compress, bz2.compress, lzma.compress])
def test_archives_and_layers_may_be_compressed(store: Store, compress: Callable[[bytes], bytes]) -> None:
    archive = docker_archive(config_of(LAYER), compress(LAYER), tags=["app:1"])

    assert asyncio.run(loaded(store, compress(archive))) == ["Loaded image: app:1\n"]
    assert (store.snapshots.lower_dirs(store.images.resolve("app:1").chain_id)[0] / "etc/hello").exists()


def test_what_is_saved_loads_as_the_same_image(store: Store, tmp_path: Path) -> None:
    async def scenario() -> tuple[bytes, bytes, list[object]]:
        await imported(store, gzip.compress(LAYER), "one")
        await store.images.tag("one", repository="two", tag="b")
        first = await saved(store, "one", "two:b")
        other = Store(tmp_path / "other")
        try:
            said = await loaded(other, first)
            return first, await saved(other, "one", "two:b"), said
        finally:
            await other.aclose()

    first, again, said = asyncio.run(scenario())

    assert first == again
    assert said == ["Loaded image: one:latest\n", "Loaded image: two:b\n"]


def test_what_is_saved_has_dockers_form_too(store: Store) -> None:
    asyncio.run(imported(store, LAYER, "one"))
    with tarfile.open(fileobj=io.BytesIO(asyncio.run(saved(store, "one")))) as archive:
        files = {m.name: archive.extractfile(m).read() for m in archive if m.isfile()}  # type: ignore[union-attr]
    [entry] = json.loads(files["manifest.json"])

    assert entry["RepoTags"] == ["one:latest"]
    assert digest(files[entry["Config"]]) == store.images.resolve("one").id
    assert [files[name] for name in entry["Layers"]] == [LAYER]


def test_saving_what_does_not_exist_is_refused_in_dockers_words(store: Store) -> None:
    with pytest.raises(NotFound, match=r"^No such image: nope:latest$"):
        asyncio.run(saved(store, "nope"))


def test_a_cancelled_import_leaves_nothing_and_no_thread(store: Store) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield LAYER[:700]
        await asyncio.sleep(3600)

    async def scenario() -> None:
        async def work() -> None:
            async for _ in store.images.import_(endless(), repository="x"):
                pass

        task = asyncio.create_task(work())
        while not list(store.data.ingest.iterdir()):  # noqa: ASYNC110  # what is waited for is on the disk
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(scenario(), 60))

    assert store.leftovers() == []


def test_an_import_that_breaks_off_leaves_nothing(store: Store) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for chunk in chunks(LAYER[:1500]):
            yield chunk
        raise ConnectionResetError("the client went away")

    async def scenario() -> None:
        async for _ in store.images.import_(broken()):
            pass

    with pytest.raises(ConnectionResetError):
        asyncio.run(scenario())

    assert store.leftovers() == []


def test_an_import_has_the_configuration_it_was_told(store: Store) -> None:
    changes = ['CMD ["a", "b"]', "ENV K=v", "EXPOSE 80"]
    image_id = asyncio.run(imported(store, LAYER, "app", tag="7", message="made by hand", changes=changes))
    record = store.images.resolve("app:7")

    assert record.id == image_id
    assert record.config.get("config") == {"Cmd": ["a", "b"], "Env": ["K=v"], "ExposedPorts": {"80/tcp": {}}}
    assert asyncio.run(store.images.history("app:7")) == [
        {
            "Id": image_id,
            "Created": 1_700_000_000,
            "CreatedBy": "",
            "Tags": ["app:7"],
            "Size": 8,
            "Comment": "made by hand",
        }
    ]
