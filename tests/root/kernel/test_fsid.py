"""Files that are made as somebody else, by who stays root."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from wharf.kernel import prctl
from wharf.kernel.fsid import As

pytestmark = pytest.mark.root


def effective() -> str:
    status = Path("/proc/thread-self/status").read_text()
    return next(line for line in status.splitlines() if line.startswith("CapEff"))


def test_new_files_are_theirs_for_so_long_and_no_right_is_lost(tmp_path: Path) -> None:
    before, dumpable = effective(), prctl.prctl(3)
    with As(5, 6):
        (tmp_path / "theirs").touch()
        assert effective() == before
    (tmp_path / "ours").touch()

    owners = [((tmp_path / name).stat().st_uid, (tmp_path / name).stat().st_gid) for name in ("theirs", "ours")]
    assert owners == [(5, 6), (0, 0)]
    assert (effective(), prctl.prctl(3)) == (before, dumpable)


def test_a_thread_that_was_there_goes_on_as_before(tmp_path: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(os.getpid).result()
        with As(5, 6):
            pool.submit((tmp_path / "file").touch).result()
    assert (tmp_path / "file").stat().st_uid == 0


def test_of_threads_at_once_the_last_leaves_the_process_as_the_first_found_it() -> None:
    prctl.set_dumpable(dumpable=True)
    second_in, first_out = threading.Event(), threading.Event()

    def second() -> None:
        with As(5, 6):
            second_in.set()
            first_out.wait()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(os.getpid).result()  # a thread begun within As would be the other already
        with As(5, 6):
            other = pool.submit(second)
            second_in.wait()
        first_out.set()
        other.result()
    assert prctl.prctl(3) == 1
