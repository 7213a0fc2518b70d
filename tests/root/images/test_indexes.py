"""Images for several platforms: one name, an index, an image each."""

from __future__ import annotations

import asyncio
import io
import json
import tarfile

import pytest
from tests.root.images.conftest import Store, chunks, imported, loaded, saved, tar

from wharf.errors import NotFound
from wharf.images.platform import host
from wharf.images.reach import Reach
from wharf.lib.digest import Digest, digest_of, hex_of
from wharf.spec.oci_image import OCI_CONFIG, OCI_INDEX, OCI_LAYER, OCI_MANIFEST

pytestmark = pytest.mark.root

OTHER = "riscv64"


class Layout:
    """An image layout as an archive."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def add(self, data: bytes, media_type: str, **more: object) -> dict[str, object]:
        self.blobs[digest_of(data)] = data
        return {"mediaType": media_type, "digest": digest_of(data), "size": len(data), **more}

    def document(self, media_type: str, body: dict[str, object], **more: object) -> dict[str, object]:
        return self.add(
            json.dumps({"schemaVersion": 2, "mediaType": media_type, **body}).encode(), media_type, **more
        )

    def image(self, architecture: str, content: bytes) -> dict[str, object]:
        layer = self.add(tar(f=content), OCI_LAYER)
        config = {
            "architecture": architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        }
        return self.document(
            OCI_MANIFEST,
            {"config": self.add(json.dumps(config).encode(), OCI_CONFIG), "layers": [layer]},
            platform={"os": "linux", "architecture": architecture},
        )

    def attestation(self, subject: str) -> dict[str, object]:
        notes = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": subject}
        kind = {"in-toto.io/predicate-type": "https://slsa.dev/provenance/v1"}
        statement = self.add(b'{"_type":"statement"}', "application/vnd.in-toto+json", annotations=kind)
        return self.document(
            OCI_MANIFEST,
            {"config": self.add(b"{}", OCI_CONFIG), "layers": [statement]},
            platform={"os": "unknown", "architecture": "unknown"},
            annotations=notes,
        )

    def archive(self, *entries: dict[str, object]) -> bytes:
        files = {f"blobs/sha256/{hex_of(digest)}": data for digest, data in self.blobs.items()}
        files["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
        files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": entries}).encode()
        return tar(**{name.replace("/", "__"): data for name, data in files.items()})


def two_platforms() -> tuple[Layout, dict[str, object]]:
    layout = Layout()
    own, other = layout.image(host().architecture, b"own"), layout.image(OTHER, b"other")
    attested = layout.attestation(str(own["digest"]))
    index = layout.document(OCI_INDEX, {"manifests": [other, own, attested]})
    return layout, {**index, "annotations": {"io.containerd.image.name": "docker.io/library/many:1"}}


@pytest.fixture
def many(store: Store) -> dict[str, object]:
    layout, index = two_platforms()
    asyncio.run(loaded(store, layout.archive(index)))
    return index


def architecture(store: Store, name: str, platform: str | None = None) -> str:
    return store.images.resolve(name, platform).config["architecture"]


def test_a_name_stands_for_the_image_of_this_machine(store: Store, many: dict[str, object]) -> None:
    assert architecture(store, "many:1") == host().architecture
    assert architecture(store, "many:1", f"linux/{OTHER}") == OTHER
    assert architecture(store, str(many["digest"])) == host().architecture
    with pytest.raises(NotFound, match="does not provide the specified platform"):
        architecture(store, "many:1", "linux/s390x")


def test_an_image_for_several_platforms_is_one_line(store: Store, many: dict[str, object]) -> None:
    listed = asyncio.run(store.images.list())

    assert [item.get("RepoTags") for item in listed] == [["many:1"]]


def test_the_index_with_all_it_lists_survives_a_restart_and_is_saved_whole(
    store: Store, many: dict[str, object]
) -> None:
    asyncio.run(store.images.start())
    with tarfile.open(fileobj=io.BytesIO(asyncio.run(saved(store, "many:1")))) as archive:
        names = {name.rpartition("/")[2] for name in archive.getnames()}

    layout, _ = two_platforms()
    assert {hex_of(digest) for digest in layout.blobs} <= names


def test_what_was_saved_is_loaded_with_the_same_digests(store: Store, many: dict[str, object]) -> None:
    archive = asyncio.run(saved(store, "many:1"))
    asyncio.run(store.images.remove("many:1"))
    asyncio.run(loaded(store, archive))

    assert store.images.resolve(str(many["digest"])).tags == ["many:1"]


def test_the_last_name_takes_every_platform_with_it(store: Store, many: dict[str, object]) -> None:
    asyncio.run(store.images.remove("many:1"))

    assert asyncio.run(store.images.list()) == []
    assert list(store.content.digests()) == []
    assert list(store.data.snapshots.iterdir()) == []


def test_pruning_leaves_other_platforms_of_what_has_a_name(store: Store, many: dict[str, object]) -> None:
    asyncio.run(store.images.prune({}))

    assert architecture(store, "many:1", f"linux/{OTHER}") == OTHER


def test_a_further_name_is_one_of_the_index_too(store: Store, many: dict[str, object]) -> None:
    asyncio.run(store.images.tag("many:1", repository="more", tag=None))
    asyncio.run(store.images.remove("many:1"))

    assert architecture(store, "more", f"linux/{OTHER}") == OTHER
    assert store.content.exists(Digest(str(many["digest"])))


def test_a_name_that_moves_away_leaves_no_index_behind(store: Store, many: dict[str, object]) -> None:
    asyncio.run(imported(store, tar(g=b"new"), "many", tag="1"))

    asyncio.run(store.images.prune({}))
    assert not store.content.exists(Digest(str(many["digest"])))
    assert len(asyncio.run(store.images.list())) == 1


def test_an_index_that_lists_one_thing_many_times_at_every_depth_is_read_once(store: Store) -> None:
    layout = Layout()
    inner = layout.image(host().architecture, b"own")
    for _ in range(6):
        inner = layout.document(OCI_INDEX, {"manifests": [inner] * 100})
    named = {**inner, "annotations": {"io.containerd.image.name": "docker.io/library/deep:1"}}
    asyncio.run(loaded(store, layout.archive(named)))

    assert store.images.resolve("deep:1").tags == ["deep:1"]
    reach = Reach(store.database, store.content, store.snapshots)
    assert len(reach.members(Digest(str(named["digest"])))) == 6


def test_two_platforms_of_several_are_saved_below_their_index(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(store.images.start())
    asyncio.run(loaded(store, layout.archive(index)))
    wanted = [f"linux/{OTHER}", str(host())]

    async def save() -> bytes:
        return b"".join([data async for data in store.images.save(["many:1"], wanted)])

    async def load(archive: bytes) -> list[object]:
        return [d["stream"] async for d in store.images.load(chunks(archive), platforms=wanted)]

    archive = asyncio.run(save())
    asyncio.run(store.images.remove("many:1"))
    assert asyncio.run(load(archive))[0] == "Loaded image: many:1\n"
    assert store.images.resolve(str(index["digest"])).tags == ["many:1"]
    assert architecture(store, "many:1", f"linux/{OTHER}") == OTHER


def test_one_platform_of_several_is_inspected_saved_and_loaded_alone(store: Store) -> None:
    layout, index = two_platforms()
    asyncio.run(store.images.start())
    asyncio.run(loaded(store, layout.archive(index)))
    other = store.images.resolve("many:1", f"linux/{OTHER}")

    assert asyncio.run(store.images.inspect("many:1", f"linux/{OTHER}")).get("Id") == other.id
    assert asyncio.run(store.images.history("many:1", f"linux/{OTHER}")) is not None
    with pytest.raises(NotFound, match="does not provide the specified platform"):
        asyncio.run(store.images.inspect("many:1", "linux/s390x"))

    async def save() -> bytes:
        return b"".join([data async for data in store.images.save(["many:1"], [f"linux/{OTHER}"])])

    alone = asyncio.run(save())
    asyncio.run(store.images.remove("many:1"))
    assert asyncio.run(loaded(store, alone)) == ["Loaded image: many:1\n"]
    assert store.images.resolve("many:1").manifest_digest == other.manifest_digest
    asyncio.run(store.images.remove("many:1"))

    async def load() -> list[object]:
        archive = layout.archive(index)
        return [d["stream"] async for d in store.images.load(chunks(archive), platforms=[f"linux/{OTHER}"])]

    assert asyncio.run(load())
    assert [one["Id"] for one in asyncio.run(store.images.list())] == [other.id]
