"""Workers as the engine uses them: real processes, which die, are killed, and are told to end."""

from __future__ import annotations

import gzip
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.root.images.conftest import tar

from wharf.errors import InvalidArgument, Unavailable
from wharf.lib.digest import digest_of
from wharf.storage.content import Blob, ContentStore, Writer
from wharf.storage.layout import DataRoot
from wharf.storage.unpacking.unpacked import UnpackedLayer
from wharf.storage.unpacking.workers import Workers

pytestmark = pytest.mark.root
PLAIN = tar(**{f"d{i % 9}__f{i}": os.urandom(40_000) for i in range(100)})
STORED = gzip.compress(PLAIN, 1)


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[list[int]]:
    fds = []
    for number in range(4):
        (tmp_path / str(number)).mkdir()
        fds.append(os.open(tmp_path / str(number), os.O_RDONLY))
    yield fds
    for fd in fds:
        os.close(fd)
    assert children() == []


def children() -> list[int]:
    """The processes of this one, zombies too."""
    found = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):  # a thread that ended has none any more
            found += map(int, (task / "children").read_text().split())
    return found


def blob(folder: Path, data: bytes) -> Blob:
    """A blob that is stored."""
    store = ContentStore(DataRoot(folder / "root"))
    return store.blob(store.add(data))


def test_layers_are_unpacked_at_once_and_nobody_is_left(folders: list[int], tmp_path: Path) -> None:
    workers, stored = Workers(most=2), blob(tmp_path, STORED)
    found = []
    with workers.expecting():
        threads = [
            threading.Thread(target=lambda fd=fd: found.append(workers.follow(stored, fd)))  # type: ignore[misc]
            for fd in folders
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert 1 <= len(children()) <= 2

    assert {layer.diff_id for layer in found} == {digest_of(PLAIN)}
    assert [layer.size_bytes for layer in found] == [4_000_000] * 4
    assert len(list((tmp_path / "3").rglob("f*"))) == 100


def test_a_worker_that_refused_one_layer_takes_the_next(folders: list[int], tmp_path: Path) -> None:
    workers = Workers(most=1)
    with workers.expecting():
        with pytest.raises(InvalidArgument, match="lies outside"):
            workers.follow(blob(tmp_path, tar(**{"..__f": b"1"}) + bytes(3_000_000)), folders[0])
        first = children()
        workers.follow(blob(tmp_path, STORED), folders[1])

        assert children() == first


def test_what_the_writer_raises_is_raised(folders: list[int], tmp_path: Path) -> None:
    store = ContentStore(DataRoot(tmp_path / "root"))

    class Broken(Writer):
        def grown(self, beyond: int) -> int:
            if beyond:
                raise ConnectionResetError("it broke off")
            return super().grown(beyond)

    with Broken(store, tmp_path / "blob") as writer:
        writer.write(STORED[:1_000_000])
        with pytest.raises(ConnectionResetError):
            Workers().follow(writer, folders[0])


def test_a_worker_that_is_killed_fails_its_layer_alone(folders: list[int], tmp_path: Path) -> None:
    store = ContentStore(DataRoot(tmp_path / "root"))

    class Killing(Writer):
        def grown(self, beyond: int) -> int:
            if beyond:
                os.kill(children()[0], signal.SIGKILL)
            return super().grown(-1)

    workers = Workers(most=1)
    with workers.expecting():
        with Killing(store, tmp_path / "blob") as writer:
            writer.write(STORED[:3_000_000])
            with pytest.raises(OSError, match=r"was killed|reset|pipe"):
                workers.follow(writer, folders[0])
        assert workers.follow(blob(tmp_path, STORED), folders[1]).size_bytes == 4_000_000


def test_a_layer_is_unpacked_while_its_blob_is_written(folders: list[int], tmp_path: Path) -> None:
    store = ContentStore(DataRoot(tmp_path / "root"))
    asked = threading.Event()

    class Followed(Writer):
        def grown(self, beyond: int) -> int:
            if beyond:
                asked.set()
            return super().grown(beyond)

    with Followed(store, tmp_path / "blob") as writer:
        found = []
        reader = threading.Thread(target=lambda: found.append(Workers().follow(writer, folders[0])))
        reader.start()
        writer.write(STORED[:1_000_000])
        assert asked.wait(60)  # the worker has taken that, and wants more
        writer.write(STORED[1_000_000:])
        writer.finish()
        reader.join()

        assert found == [UnpackedLayer(digest_of(PLAIN), 4_000_000, "gzip")]


def test_a_layer_that_is_not_compressed_has_the_digest_of_its_blob(folders: list[int], tmp_path: Path) -> None:
    store = ContentStore(DataRoot(tmp_path / "root"))
    digest = store.add(PLAIN)

    layer = Workers().follow(store.blob(digest), folders[0])

    assert layer == UnpackedLayer(digest, 4_000_000, "")


def test_a_blob_that_is_given_up_ends_who_follows_it(folders: list[int], tmp_path: Path) -> None:
    store = ContentStore(DataRoot(tmp_path / "root"))

    class GivenUp(Writer):
        def grown(self, beyond: int) -> int:
            if beyond:
                self.abort()
            return super().grown(beyond)

    workers = Workers(most=1)
    with workers.expecting():
        with GivenUp(store, tmp_path / "blob") as writer:
            writer.write(STORED[:1_000_000])
            with pytest.raises(Unavailable, match="given up"):
                workers.follow(writer, folders[0])

        assert workers.follow(store.blob(store.add(STORED)), folders[1]).size_bytes == 4_000_000
