from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.lib.digest import Digest, digest_of
from wharf.storage.metadata import Database
from wharf.storage.unsettled import BLOB, LAYER, Note, Settler, Suspects, Unsettled, suspects

ONE, TWO = digest_of(b"one"), digest_of(b"two")
NONE = Suspects()


class Kernel:
    """Runs anew when it is told to; remembers what was brought to the disk."""

    def __init__(self) -> None:
        self.run = "first"
        self.syncs = 0
        self.full = False

    def boot_id(self) -> str:
        return self.run

    def sync(self) -> None:
        self.syncs += 1
        if self.full:
            raise OSError(errno.EIO, "a bad sector")


@pytest.fixture
def kernel() -> Kernel:
    return Kernel()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "db")
    yield database
    database.close()


@pytest.fixture
def unsettled(database: Database, kernel: Kernel) -> Unsettled:
    return Unsettled(database, kernel.boot_id)


def blobs(*digests: Digest) -> Suspects:
    return Suspects(blobs=frozenset(digests))


def test_only_what_another_run_of_the_kernel_has_noted_is_in_doubt() -> None:
    notes = [Note(BLOB, ONE, "now"), Note(BLOB, TWO, "before"), Note(LAYER, ONE, "before"), Note(LAYER, TWO, "")]

    assert suspects(notes, "now") == Suspects(frozenset({TWO}), frozenset({ONE, TWO}))
    assert suspects([], "now") == NONE


def test_a_killed_engine_leaves_nothing_in_doubt_and_a_machine_that_stopped_does(
    unsettled: Unsettled, kernel: Kernel
) -> None:
    unsettled.note_blobs([ONE])
    assert unsettled.suspects() == NONE

    kernel.run = "second"
    assert unsettled.suspects() == blobs(ONE)

    unsettled.trust()
    assert unsettled.suspects() == NONE
    kernel.run = "third"
    assert unsettled.suspects() == NONE


def test_what_was_synced_is_in_doubt_no_more(unsettled: Unsettled, kernel: Kernel) -> None:
    unsettled.note_blobs([ONE])
    unsettled.settle(kernel.sync)
    unsettled.settle(kernel.sync)

    kernel.run = "second"
    assert (unsettled.suspects(), kernel.syncs) == (NONE, 1)


def test_what_is_noted_again_while_the_disk_is_written_stays_in_doubt(unsettled: Unsettled, kernel: Kernel) -> None:
    unsettled.note_blobs([ONE, TWO])
    unsettled.settle(lambda: unsettled.note_blobs([ONE]))  # removed, and pulled again meanwhile

    kernel.run = "second"
    assert unsettled.suspects() == blobs(ONE)


def test_what_is_still_coming_stays_in_doubt_while_others_are_settled(unsettled: Unsettled, kernel: Kernel) -> None:
    unsettled.note_blobs([TWO])
    written = unsettled.expect([ONE])
    unsettled.settle(kernel.sync)
    kernel.run = "second"
    assert unsettled.suspects() == blobs(ONE)

    kernel.run = "first"
    written()
    unsettled.settle(kernel.sync)
    assert not unsettled.is_pending()


def test_the_end_of_what_was_coming_asks_for_a_sync(unsettled: Unsettled, kernel: Kernel) -> None:
    settler = Settler(unsettled, kernel.sync, pause_s=0)
    unsettled.expect([ONE])()
    settler.close()

    assert not unsettled.is_pending()


def test_what_a_disk_could_not_take_is_in_doubt_at_the_next_start(
    unsettled: Unsettled, kernel: Kernel, caplog: pytest.LogCaptureFixture
) -> None:
    unsettled.note_blobs([ONE])
    kernel.full = True
    unsettled.settle(kernel.sync)

    kernel.full = False
    unsettled.settle(kernel.sync)
    assert unsettled.suspects() == blobs(ONE)
    assert "the next start verifies them" in caplog.text


def test_a_layer_is_noted_with_what_lets_others_find_it_or_not_at_all(
    unsettled: Unsettled, database: Database, kernel: Kernel
) -> None:
    def fail() -> None:
        with database.transaction() as db:
            unsettled.note(db, LAYER, [ONE])
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with database.transaction() as db:
        unsettled.note(db, LAYER, [TWO])

    kernel.run = "second"
    assert unsettled.suspects() == Suspects(layers=frozenset({TWO}))


def test_what_is_noted_is_brought_to_the_disk_by_itself(unsettled: Unsettled, kernel: Kernel) -> None:
    synced = threading.Event()
    settler = Settler(unsettled, lambda: (kernel.sync(), synced.set())[0], pause_s=0)

    unsettled.note_blobs([ONE])
    assert synced.wait(30)
    settler.close()
    assert not unsettled.is_pending()


def test_a_close_brings_there_what_is_left_without_a_pause(unsettled: Unsettled, kernel: Kernel) -> None:
    settler = Settler(unsettled, kernel.sync, pause_s=3600)
    unsettled.note_blobs([ONE])
    unsettled.note_blobs([TWO])
    settler.close()
    settler.close()

    assert (unsettled.is_pending(), kernel.syncs) == (False, 1)


def test_what_is_noted_after_a_close_is_left_to_the_next(unsettled: Unsettled, kernel: Kernel) -> None:
    before = threading.active_count()
    Settler(unsettled, kernel.sync, pause_s=3600).close()
    unsettled.note_blobs([ONE])

    assert (threading.active_count(), unsettled.is_pending()) == (before, True)


def test_what_a_killed_process_has_noted_is_brought_there_by_the_next(unsettled: Unsettled, kernel: Kernel) -> None:
    unsettled.note_blobs([ONE])
    Settler(unsettled, kernel.sync, pause_s=3600).close()

    assert not unsettled.is_pending()


def test_an_engine_that_has_nothing_to_settle_starts_no_thread(unsettled: Unsettled, kernel: Kernel) -> None:
    before = threading.active_count()
    Settler(unsettled, kernel.sync, pause_s=3600)

    assert threading.active_count() == before


def test_one_that_finds_no_room_for_a_thread_holds_nobody_up_and_goes_on_with_the_next_note(
    unsettled: Unsettled, kernel: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crowded(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    settler = Settler(unsettled, kernel.sync, pause_s=0)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", crowded)
        unsettled.note_blobs([ONE])
    assert unsettled.is_pending()

    unsettled.note_blobs([TWO])
    settler.close()
    assert not unsettled.is_pending()
