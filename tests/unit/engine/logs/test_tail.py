from __future__ import annotations

import asyncio
import errno
import gzip
import json
import os
from pathlib import Path

import pytest

from wharf.engine.logs.tail import Growth, LogTail
from wharf.shim.logfile import compress


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


def _rotate(path: Path, *texts: str) -> None:
    for number in (3, 2, 1):
        source = f"{path}.{number - 1}" if number > 1 else str(path)
        for kind in ("", ".gz"):
            if Path(source + kind).exists():
                Path(source + kind).rename(f"{path}.{number}{kind}")
    path.write_bytes(_lines(*texts))


def test_no_part_is_missed_when_it_was_rotated_more_than_once_meanwhile(path: Path) -> None:
    path.write_bytes(_lines("a"))
    tail = LogTail(path)
    first = _read(tail)
    _rotate(path, "b")
    _rotate(path, "c")
    _rotate(path, "d")

    assert (first, _read(tail)) == ("a", "bcd")
    tail.close()


def test_parts_that_have_been_compressed_meanwhile_are_not_read_twice(path: Path) -> None:
    path.write_bytes(_lines("a"))
    tail = LogTail(path)
    first = _read(tail)
    _rotate(path, "b")
    compress(f"{path}.1")
    _rotate(path, "c")

    assert (first, _read(tail)) == ("a", "bc")
    tail.close()


def test_a_position_holds_in_a_part_that_has_been_compressed_since(path: Path) -> None:
    path.write_bytes(_lines("a", "b"))
    tail = LogTail(path)
    tail.lines()
    position = tail.position
    tail.close()
    with path.open("ab") as file:
        file.write(_lines("c"))
    _rotate(path, "d")
    compress(f"{path}.1")
    again = LogTail(path, position)

    assert _read(again) == "cd"
    again.close()


@pytest.mark.parametrize(("most", "left"), [(10, "abcd"), (3, "bcd"), (2, "cd"), (1, "d"), (0, "")])
def test_the_oldest_lines_are_passed_over(path: Path, most: int, left: str) -> None:
    line = len(_lines("a"))
    path.write_bytes(_lines("a", "b"))
    _rotate(path, "c")
    compress(f"{path}.1")
    _rotate(path, "d")
    tail = LogTail(path)
    dropped = tail.skip_to_last(most * line)

    assert (dropped, _read(tail)) == (max(0, 4 - most) * line, left)
    tail.close()


def test_only_whole_lines_are_left_of_what_is_passed_over(path: Path) -> None:
    path.write_bytes(_lines("a", "b", "c"))
    tail = LogTail(path)
    tail.skip_to_last(len(_lines("a")) * 2 - 1)

    assert _read(tail) == "c"
    tail.close()


def test_growth_is_looked_for_where_nobody_can_tell_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr("wharf.engine.logs.tail.inotify.inotify_init", none_left)
    monkeypatch.setattr("wharf.engine.logs.tail._UNTOLD_S", 0.001)

    async def main() -> None:
        with Growth(tmp_path) as growth:
            async with asyncio.timeout(60):
                await growth.wait()

    asyncio.run(main())
