from __future__ import annotations

import io
from pathlib import Path

import pytest

from wharf.errors import DataLoss, InvalidArgument
from wharf.images.arrival import Arriving, blame
from wharf.lib.digest import digest_of
from wharf.storage.content import ContentStore
from wharf.storage.layout import DataRoot

DATA = bytes(range(256)) * 10


@pytest.fixture
def content(tmp_path: Path) -> ContentStore:
    return ContentStore(DataRoot(tmp_path))


def test_what_an_earlier_attempt_left_comes_first_and_counts(content: ContentStore) -> None:
    digest = digest_of(DATA)
    earlier = content.resume(digest)
    earlier.write(DATA[:100])
    earlier.keep()
    assert content.begun(digest) == 100

    writer = content.resume(digest)
    arriving = Arriving(writer, io.BytesIO(DATA[100:]))
    first = arriving.read(7)
    arriving.verify(digest, len(DATA))
    writer.commit()

    assert first == DATA[:7]
    assert (content.read(digest), content.begun(digest)) == (DATA, 0)


@pytest.mark.parametrize(("sent", "size"), [(DATA[:-1], len(DATA)), (b"evil", 4), (DATA, len(DATA) - 1)])
def test_something_else_is_told_from_what_was_asked_for(content: ContentStore, sent: bytes, size: int) -> None:
    with content.resume(digest_of(DATA)) as writer:
        arriving = Arriving(writer, io.BytesIO(sent))
        with pytest.raises(DataLoss, match="filesystem layer verification failed for digest"):
            arriving.verify(digest_of(DATA), size)


def test_a_corrupt_archive_is_the_images_fault_when_it_is_the_one_asked_for(content: ContentStore) -> None:
    error = InvalidArgument("corrupt archive")

    with content.resume(digest_of(DATA)) as good:
        assert blame(Arriving(good, io.BytesIO(DATA)), digest_of(DATA), len(DATA), error) is error
    with content.resume(digest_of(DATA)) as damaged:
        said = blame(Arriving(damaged, io.BytesIO(b"evil")), digest_of(DATA), len(DATA), error)
    assert isinstance(said, DataLoss)
