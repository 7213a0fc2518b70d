"""A layer that is unpacked from its file while that is written: what becomes of it when something is wrong."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator

import pytest
from tests.root.images.conftest import Store, tar

from wharf.errors import DataLoss, InvalidArgument, Unavailable
from wharf.images.catalog import Catalog
from wharf.images.intake import Intake
from wharf.lib.digest import digest_of
from wharf.spec.oci_image import OCI_LAYER, Descriptor
from wharf.storage.unpacking.workers import LEAST_BYTES

pytestmark = pytest.mark.root

PLAIN = tar(**{f"d__f{number}": os.urandom(1000) for number in range(LEAST_BYTES // 1000)})
WANTED: Descriptor = {"mediaType": OCI_LAYER, "digest": digest_of(PLAIN), "size": len(PLAIN)}


class Coming:
    """Bytes as they come from a registry, some at a time, and at their end what there is to raise."""

    def __init__(self, data: bytes, failure: Exception | None = None) -> None:
        self._data = data
        self._failure = failure

    def read(self, size: int, /) -> bytes:
        data, self._data = self._data[: min(size, 100_000)], self._data[min(size, 100_000) :]
        if not data and self._failure:
            raise self._failure
        return data


@pytest.fixture
def intake(store: Store) -> Iterator[Intake]:
    asyncio.run(store.images.start())
    with Intake(Catalog(store.database, store.content, store.snapshots), store.content, store.snapshots) as intake:
        yield intake


def test_a_download_becomes_a_blob_and_a_folder(store: Store, intake: Intake) -> None:
    layer = intake.receive(Coming(PLAIN), WANTED)

    assert (layer.diff_id, store.content.read(layer.diff_id)) == (digest_of(PLAIN), PLAIN)
    assert layer.folder is not None
    assert len(list((layer.folder.path / "d").iterdir())) == LEAST_BYTES // 1000


def test_a_download_that_breaks_off_is_kept_and_taken_up(store: Store, intake: Intake) -> None:
    half = len(PLAIN) // 2
    with pytest.raises(Unavailable, match="broken"):
        intake.receive(Coming(PLAIN[:half], Unavailable("broken")), WANTED)
    assert store.content.begun(digest_of(PLAIN)) == half

    assert intake.receive(Coming(PLAIN[half:]), WANTED).diff_id == digest_of(PLAIN)


def test_other_bytes_than_were_asked_for_are_forgotten(store: Store, intake: Intake) -> None:
    with pytest.raises(DataLoss, match="verification failed"):
        intake.receive(Coming(PLAIN[:-1] + b"x"), WANTED)

    assert not store.content.exists(digest_of(PLAIN))
    assert store.content.begun(digest_of(PLAIN)) == 0


def test_an_archive_that_is_refused_is_read_to_its_end_and_forgotten(store: Store, intake: Intake) -> None:
    hostile = tar(**{"..__f": b"x"}) + PLAIN
    wanted: Descriptor = {"mediaType": OCI_LAYER, "digest": digest_of(hostile), "size": len(hostile)}
    with pytest.raises(InvalidArgument, match="lies outside"):
        intake.receive(Coming(hostile), wanted)

    assert store.content.begun(digest_of(hostile)) == 0
    assert not store.content.exists(digest_of(hostile))
