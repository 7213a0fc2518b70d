from __future__ import annotations

import json
from pathlib import Path

import pytest

from wharf.errors import DataLoss, InvalidArgument, Unavailable
from wharf.lib.digest import Digest, digest_of
from wharf.storage.content import ContentStore
from wharf.storage.layout import DataRoot


@pytest.fixture
def store(tmp_path: Path) -> ContentStore:
    return ContentStore(DataRoot(tmp_path))


def test_the_folder_is_an_image_layout(store: ContentStore) -> None:
    assert json.loads((store.root / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    assert json.loads((store.root / "index.json").read_text())["manifests"] == []


def test_an_index_that_says_the_same_is_not_written_again(store: ContentStore) -> None:
    index = store.root / "index.json"
    store.write_index([b'{"digest":"a"}'])
    before = index.stat().st_ino

    store.write_index(iter([b'{"digest":"a"}']))
    assert index.stat().st_ino == before

    store.write_index([b'{"digest":"b"}'])
    assert json.loads(index.read_text())["manifests"] == [{"digest": "b"}]


def test_what_a_power_failure_has_left_of_the_layout_is_written_again(store: ContentStore) -> None:
    for name in ("index.json", "oci-layout"):
        (store.root / name).write_bytes(b"")
    assert not store.index_is([])

    store.write_index([])
    assert store.index_is([])


def test_a_blob_is_found_by_its_digest(store: ContentStore) -> None:
    digest = store.add(b"blob")

    assert (digest, store.read(digest), store.size(digest)) == (digest_of(b"blob"), b"blob", 4)
    assert list(store.digests()) == [digest]


def test_a_blob_that_is_not_committed_leaves_nothing(store: ContentStore) -> None:
    with store.writer() as writer:
        writer.write(b"blob")

    assert list(store.root.rglob("ingest/*")) == []
    assert not store.exists(digest_of(b"blob"))


@pytest.mark.parametrize(("digest", "size"), [(digest_of(b"other"), None), (None, 3), (digest_of(b"blob"), 5)])
def test_a_blob_that_is_not_what_was_promised_is_refused(
    store: ContentStore, digest: Digest | None, size: int | None
) -> None:
    with store.writer() as writer:
        writer.write(b"blob")
        with pytest.raises(InvalidArgument, match="expected"):
            writer.commit(digest, size)

    assert list(store.digests()) == []


def test_a_blob_stored_twice_is_there_once(store: ContentStore) -> None:
    store.add(b"blob")
    store.add(b"blob")

    assert len(list(store.digests())) == 1
    assert list(store.root.rglob("ingest/*")) == []


def test_blobs_get_their_names_together(store: ContentStore) -> None:
    store.add(b"one")
    writers = [store.document(data) for data in (b"one", b"two")]
    assert len(list(store.digests())) == 1

    store.commit(writers)

    assert {store.read(digest) for digest in store.digests()} == {b"one", b"two"}
    assert list(store.root.rglob("ingest/*")) == []


def test_whoever_follows_a_blob_is_told_how_far_it_has_got(store: ContentStore) -> None:
    with store.writer() as writer:
        writer.write(b"half")
        half = writer.grown(0)
        writer.finish()
        with open(writer.open(), "rb") as read:
            assert (half, writer.grown(4), read.read()) == (4, 4, b"half")


def test_a_blob_that_is_given_up_tells_who_follows_it(store: ContentStore) -> None:
    with store.writer() as writer:
        writer.write(b"half")

    with pytest.raises(Unavailable, match="given up"):
        writer.grown(4)


def test_a_download_that_is_kept_for_later_tells_who_follows_it(store: ContentStore) -> None:
    writer = store.resume(digest_of(b"whole"))
    writer.write(b"who")
    writer.keep()

    with pytest.raises(Unavailable, match="given up"):
        writer.grown(3)
    assert store.begun(digest_of(b"whole")) == 3


def test_what_an_earlier_attempt_has_left_counts_for_who_follows_it(store: ContentStore) -> None:
    earlier = store.resume(digest_of(b"whole"))
    earlier.write(b"who")
    earlier.keep()
    again = store.resume(digest_of(b"whole"))

    assert (list(again.replay()), again.grown(0)) == ([b"who"], 3)
    again.keep()


def test_a_missing_blob_is_data_loss(store: ContentStore) -> None:
    with pytest.raises(DataLoss, match="missing"):
        store.read(digest_of(b"nothing"))


def test_an_open_blob_outlives_its_name(store: ContentStore) -> None:
    digest = store.add(b"blob")
    with store.open(digest) as file:
        assert store.delete(digest) == 4
        assert file.read() == b"blob"
    assert store.delete(digest) == 0


def test_a_sweep_removes_what_was_half_written(store: ContentStore, tmp_path: Path) -> None:
    writer = store.writer()
    writer.write(b"half")
    writer.finish()
    (store.root / ".index.json.1234.tmp").write_text("half")
    ContentStore(DataRoot(tmp_path)).sweep()

    assert sorted(p.name for p in store.root.rglob("*")) == ["blobs", "index.json", "ingest", "oci-layout", "sha256"]
