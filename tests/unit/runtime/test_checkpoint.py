"""What can be told of a dump without CRIU; the rest is seen in tests/root/runtime/test_checkpoint.py."""

from __future__ import annotations

from pathlib import Path

from wharf.runtime.checkpoint import Wanted, first_error


def test_the_first_error_of_a_log_is_the_cause(tmp_path: Path) -> None:
    log = tmp_path / "dump.log"
    log.write_text(
        "(00.01) Version: 4.1\n"
        "(00.02) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted\n"
        "(00.03) Error (criu/files.c:7): Can't dump it\n"
        "(00.04) Error (criu/cr-dump.c:9): Dumping FAILED.\n"
    )

    assert first_error(str(log)) == "(criu/files.c:7): Can't dump it"
    assert first_error(str(tmp_path / "missing")) == ""


def test_the_log_lies_beside_the_files_unless_it_is_wanted_elsewhere() -> None:
    wanted = Wanted("/images")
    assert wanted.log == "/images"
    wanted.work = "/work"
    assert wanted.log == "/work"
