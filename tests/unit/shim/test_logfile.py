from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

from wharf.lib.stdcopy import STDERR, STDOUT
from wharf.shim.logfile import LONGEST_LINE_BYTES, Lines, LogFile


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
