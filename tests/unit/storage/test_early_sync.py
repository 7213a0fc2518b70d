from __future__ import annotations

import errno
import threading

import pytest

from wharf.storage.early_sync import EarlySync


def test_nothing_is_lost_that_was_written_after_the_last_early_sync_began() -> None:
    written: list[str] = []
    synced: set[str] = set()
    early = EarlySync(lambda: synced.update(written))

    written.append("first")
    early.begin()
    written.append("second")
    early.finish()

    assert synced == {"first", "second"}


def test_one_runs_at_a_time() -> None:
    go_on, calls = threading.Event(), [0]

    def sync() -> None:
        calls[0] += 1
        go_on.wait()

    early = EarlySync(sync)
    for _ in range(5):
        early.begin()
    go_on.set()
    early.close()

    assert calls == [1]


def test_a_failure_is_told_at_the_end_though_the_kernel_tells_it_once() -> None:
    failures = [OSError(errno.EIO, "Input/output error")]

    def sync() -> None:
        if failures:
            raise failures.pop()

    early = EarlySync(sync)
    early.begin()
    while failures:  # it is told to the early sync
        threading.Event().wait(0.001)
    early.begin()

    with pytest.raises(OSError, match="Input/output error"):
        early.finish()
    early.close()
