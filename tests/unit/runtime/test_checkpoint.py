"""What can be told of a dump without CRIU; the rest is seen in tests/root/runtime/test_checkpoint.py."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from wharf.kernel import criu
from wharf.runtime import checkpoint
from wharf.runtime.checkpoint import Wanted, first_error


def test_the_first_error_of_a_log_is_the_cause(tmp_path: Path) -> None:
    log = tmp_path / "dump.log"
    log.write_text(
        "(00.01) Version: 4.1\n"
        "(00.02) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted\n"
        "(00.02) Error (criu/page-xfer.c:407): No parent image found, though parent directory is set: No such file\n"
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


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What CRIU would have been asked for, with its options."""
    asked: list[tuple[str, dict[str, Any]]] = []

    def ask(what: str, options: dict[str, Any], _folders: object, **_more: object) -> int:
        asked.append((what, options))
        return 0

    monkeypatch.setattr(criu, "ask", ask)
    return asked


def test_memory_is_tracked_from_what_is_saved_ahead_to_what_is_saved_on_it(
    tmp_path: Path, told: list[tuple[str, dict[str, Any]]]
) -> None:
    ahead, then = Wanted(str(tmp_path / "ahead")), Wanted(str(tmp_path / "saved"))
    ahead.pre_dump, then.parent = True, "../ahead"
    spec: Any = {}

    for wanted in (ahead, then, Wanted(str(tmp_path / "alone"))):
        checkpoint.dump(spec, os.getpid(), wanted)

    assert [(what, o.get("track_mem"), o.get("parent_img")) for what, o in told] == [
        ("pre-dump", True, None),
        ("dump", True, "../ahead"),  # as CRIU wants it: relative to the folder of the files
        ("dump", None, None),
    ]
    assert not (tmp_path / "ahead/descriptors.json").exists()  # nothing can be brought back of memory alone


def test_a_page_server_gets_memory_or_serves_it(tmp_path: Path, told: list[tuple[str, dict[str, Any]]]) -> None:
    wanted = Wanted(str(tmp_path), lazy_pages=True)
    wanted.page_server = ("127.0.0.1", 9)
    spec: Any = {}

    checkpoint.dump(spec, os.getpid(), wanted)

    assert [(o["ps"], o["lazy_pages"]) for _, o in told] == [(("127.0.0.1", 9), True)]
