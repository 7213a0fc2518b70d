from __future__ import annotations

import json
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
