from __future__ import annotations

import errno
import gzip
import json
import os
from pathlib import Path

import pytest

from wharf.lib.stdcopy import STDERR, STDOUT
from wharf.shim.logfile import LONGEST_LINE_BYTES, Lines, LogFile
from wharf.spec.shim_messages import LogOptions


def test_a_line_is_one_record_however_it_arrives() -> None:
    lines = Lines()
    assert [lines.feed(b"a"), lines.feed(b"b\nc\n\nd"), lines.flush(), lines.flush()] == [
        [],
        [b"ab\n", b"c\n", b"\n"],
        [b"d"],
        [],
    ]


def test_a_long_line_is_cut_into_pieces_without_a_newline() -> None:
    assert [len(record) for record in Lines().feed(b"x" * (LONGEST_LINE_BYTES + 5) + b"\n")] == [
        LONGEST_LINE_BYTES,
        6,
    ]


def test_records_hold_text_stream_and_time(tmp_path: Path) -> None:
    log = LogFile({"driver": "json-file", "path": str(tmp_path / "log")})
    log.write(STDERR, b'say "hi" \xff\n')
    log.write(STDOUT, b"end")
    log.close()

    records = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert [(r["stream"], r["log"]) for r in records] == [("stderr", 'say "hi" \ufffd\n'), ("stdout", "end")]
    assert all(r["time"].endswith("Z") for r in records)


def test_rotation_keeps_as_many_files_as_asked(tmp_path: Path) -> None:
    log = LogFile({"driver": "json-file", "path": str(tmp_path / "log"), "max_size_bytes": 10, "max_files": 3})
    for number in range(5):
        log.write(STDOUT, f"{number}\n".encode())
    log.close()

    found = {path.name: json.loads(path.read_text())["log"] for path in tmp_path.iterdir()}
    assert found == {"log": "4\n", "log.1": "3\n", "log.2": "2\n"}


def test_rotated_parts_are_compressed_and_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    log = LogFile({"driver": "json-file", "path": str(path), "max_size_bytes": 100, "max_files": 3, "compress": True})
    for number in range(6):
        log.write(STDOUT, f"{number} {'x' * 60}\n".encode())
        while log._busy():
            os.waitpid(-1, 0)
    log.close()

    parts = [gzip.decompress(Path(f"{path}.{n}.gz").read_bytes()) for n in (2, 1)]
    read = b"".join([*parts, path.read_bytes()])
    numbers = [int(json.loads(line)["log"][0]) for line in read.splitlines()]
    assert numbers == list(range(6))[-len(numbers) :]
    assert not list(tmp_path.glob("*.part"))
    assert not Path(f"{path}.1").exists()


def test_attributes_stand_in_every_line(tmp_path: Path) -> None:
    log = LogFile({"driver": "json-file", "path": str(tmp_path / "x.log"), "attrs": {"a": "b"}})
    log.write(STDOUT, b"1\n2\n")
    log.close()

    lines = [json.loads(line) for line in (tmp_path / "x.log").read_text().splitlines()]
    assert [line["attrs"] for line in lines] == [{"a": "b"}, {"a": "b"}]


def _texts(path: Path) -> dict[str, list[str]]:
    return {
        part.name: [json.loads(line)["log"].strip() for line in part.read_text().splitlines()]
        for part in path.parent.glob(f"{path.name}*")
    }


class Delivered:
    """A log of parts of some bytes whose container waits, and its cursor."""

    def __init__(self, folder: Path, files: int = 2, size: int = 10) -> None:
        self.path, self.cursor = folder / "log", folder / "cursor"
        self.options: LogOptions = {
            "driver": "json-file", "path": str(self.path), "max_size_bytes": size, "max_files": files,
            "cursor": str(self.cursor), "waits": True,
        }  # fmt: skip
        self.log = LogFile(self.options)

    def write(self, *texts: str) -> None:
        for text in texts:
            self.log.write(STDOUT, f"{text}\n".encode())

    def deliver(self, part: Path, offset: int | None = None) -> None:
        status = part.stat()
        self.cursor.write_text(json.dumps([status.st_ino, status.st_size if offset is None else offset]))


def test_a_part_that_is_not_delivered_is_not_rotated_away_and_the_log_says_to_wait(tmp_path: Path) -> None:
    kept = Delivered(tmp_path)
    kept.write("a", "b")
    before = kept.log.held
    kept.write("c")
    kept.log.look()

    assert (before, kept.log.held) == (False, True)
    assert _texts(kept.path) == {"log": ["b", "c"], "log.1": ["a"]}  # what had been read is there all the same

    kept.deliver(Path(f"{kept.path}.1"), offset=3)
    kept.log.look()
    assert kept.log.held

    kept.deliver(Path(f"{kept.path}.1"))
    kept.log.look()
    kept.write("d")
    assert not kept.log.held
    assert _texts(kept.path) == {"log": ["d"], "log.1": ["b", "c"]}
    kept.log.close()


def test_a_log_of_one_part_waits_until_all_of_it_is_delivered(tmp_path: Path) -> None:
    kept = Delivered(tmp_path, files=1)
    kept.write("a", "b")
    kept.deliver(kept.path)
    kept.log.look()
    kept.write("c")

    assert (_texts(kept.path), kept.log.held) == ({"log": ["c"]}, False)
    kept.log.close()


def test_a_container_that_starts_behind_an_undelivered_log_waits_at_once(tmp_path: Path) -> None:
    first = Delivered(tmp_path)
    first.write("a", "b")
    first.log.close()
    again = LogFile(first.options)

    assert again.held
    again.close()


def test_the_last_lines_are_written_though_nothing_was_delivered(tmp_path: Path) -> None:
    kept = Delivered(tmp_path)
    kept.write("a", "b", "c")
    kept.log.write(STDOUT, b"end")
    kept.log.close()

    assert _texts(kept.path)["log"] == ["b", "c", "end"]


def test_a_new_part_is_not_taken_for_the_one_that_the_cursor_names(tmp_path: Path) -> None:
    """Inodes are used again: the part whose number it was may be long gone."""
    kept = Delivered(tmp_path, files=1)
    kept.write("a")
    log = kept.log
    for _ in range(20):
        inode = kept.path.stat().st_ino
        kept.deliver(kept.path)
        log._rotate()
        assert kept.path.stat().st_ino != inode
        log._rotate()  # the first one's number is free by now
        assert kept.path.stat().st_ino != inode
    log.close()


def test_what_a_full_disk_refuses_is_held_where_it_must_arrive_and_lost_where_it_is_only_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk()
    kept = Delivered(tmp_path, size=1000)
    plain = LogFile({"driver": "json-file", "path": str(tmp_path / "plain")})
    monkeypatch.setattr("wharf.shim.logfile.os.write", disk.write)
    disk.room = 50
    kept.write("a", "b")
    disk.room = 0
    plain.write(STDOUT, b"a\n")
    lost = (kept.log.held, plain.held)
    kept.log.look()
    still = kept.log.held
    disk.room = 10_000
    kept.log.look()
    plain.write(STDOUT, b"b\n")

    assert (lost, still, kept.log.held) == ((True, False), True, False)
    assert _texts(kept.path)["log"] == ["a", "b"]
    assert _texts(tmp_path / "plain")["plain"] == ["b"]
    kept.log.close()
    plain.close()


class Disk:
    """os.write as on a disk with so many bytes left."""

    def __init__(self) -> None:
        self.room = 0
        self._write = os.write

    def write(self, fd: int, data: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = self._write(fd, data[: self.room])
        self.room -= written
        return written


def test_a_follower_of_the_only_part_finds_what_follows_it(tmp_path: Path) -> None:
    """It is another file, for one that is emptied would be behind whoever has read it."""
    log = LogFile({"driver": "json-file", "path": str(tmp_path / "log"), "max_size_bytes": 10, "max_files": 1})
    log.write(STDOUT, b"a\n")
    with (tmp_path / "log").open("rb") as first:
        log.write(STDOUT, b"b\n")
        log.close()

        assert json.loads(first.read())["log"] == "a\n"
    assert _texts(tmp_path / "log") == {"log": ["b"]}
