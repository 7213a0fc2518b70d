from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from wharf.engine.logs.tail import LogTail


def _lines(*texts: str) -> bytes:
    return b"".join(
        json.dumps({"log": t, "stream": "stdout", "time": "2026-01-01T00:00:00Z"}).encode() + b"\n" for t in texts
    )


def _read(tail: LogTail) -> str:
    found = ""
    while lines := tail.lines():
        found += "".join(line["log"] for line in lines)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "x.log"


def test_parts_are_read_oldest_first_compressed_or_not(path: Path) -> None:
    Path(f"{path}.10.gz").write_bytes(gzip.compress(_lines("a")))
    Path(f"{path}.2.gz").write_bytes(gzip.compress(_lines("b")))
    Path(f"{path}.1").write_bytes(_lines("c"))
    Path(f"{path}.1.gz.part").write_bytes(b"half")
    path.write_bytes(_lines("d"))
    tail = LogTail(path)

    assert _read(tail) == "abcd"
    tail.close()


def test_it_goes_on_across_a_rotation(path: Path) -> None:
    path.write_bytes(_lines("a"))
    tail = LogTail(path)
    first = _read(tail)
    with path.open("ab") as file:
        file.write(_lines("b"))
    path.rename(f"{path}.1")
    path.write_bytes(_lines("c"))

    assert (first, _read(tail)) == ("a", "bc")
    tail.close()


def test_it_begins_where_another_left_off(path: Path) -> None:
    path.write_bytes(_lines("a", "b") + _lines("c")[:20])
    tail = LogTail(path)
    first, position = _read(tail), tail.position
    tail.close()
    path.rename(f"{path}.1")
    Path(f"{path}.1").write_bytes(Path(f"{path}.1").read_bytes() + _lines("c")[20:])
    path.write_bytes(_lines("d"))
    again = LogTail(path, position)

    assert (first, _read(again)) == ("ab", "cd")
    again.close()


def test_what_a_full_disk_tore_is_passed_over(path: Path) -> None:
    path.write_bytes(_lines("a")[:15] + b"\n" + _lines("b"))
    tail = LogTail(path)

    assert _read(tail) == "b"
    tail.close()


def test_a_log_that_is_not_there_yet_is_found_when_it_comes(path: Path) -> None:
    tail = LogTail(path)
    before = (_read(tail), tail.position)
    path.write_bytes(_lines("a"))

    assert (before, _read(tail)) == (("", None), "a")
    tail.close()
