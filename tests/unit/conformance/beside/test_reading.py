from __future__ import annotations

import io
import json
import tarfile

from conformance.beside.exchange import Answer
from conformance.beside.reading import read

_ID = "ab" * 32


def test_what_any_two_daemons_say_differently_is_named_by_its_role() -> None:
    body = {
        "Id": _ID, "Hostname": _ID[:12], "Created": "2026-11-27T15:00:00.1Z", "FinishedAt": "0001-01-01T00:00:00Z",
        "Pid": 7, "Names": ["/odd_name"], "Path": f"/root/{_ID}/x", "Gateway": "172.17.0.1",
        "Subnet": "172.17.0.0/16",
    }  # fmt: skip
    said = read(Answer(200, {"content-type": "application/json"}, json.dumps(body).encode()), "", {"c": _ID})

    assert said == {
        "status": 200,
        "headers": {"content-type": "application/json"},
        "body": {
            "Id": "<c>", "Hostname": "<c, short>", "Created": "<time>", "FinishedAt": "0001-01-01T00:00:00Z",
            "Pid": "<number>", "Names": ["/<any name>"], "Path": "/root/<c>/x", "Gateway": "<address>",
            "Subnet": "172.17.0.0/16",
        },
    }  # fmt: skip


def test_frames_are_read_as_texts_by_their_streams() -> None:
    stream = b"\1\0\0\0\0\0\0\2ab\1\0\0\0\0\0\0\1c\2\0\0\0\0\0\0\1d\1\0"

    assert read(Answer(200, {}, stream), "frames", {})["body"] == [[1, "abc"], [2, "d"], ["rest", "\1\0"]]


def test_of_archives_the_members_are_told() -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        member = tarfile.TarInfo("a")
        member.type, member.linkname, member.uid = tarfile.SYMTYPE, "b", 3
        archive.addfile(member)

    (found,) = read(Answer(200, {}, made.getvalue()), "tar", {})["body"]
    assert (found["name"], found["link"], found["owner"]) == ("a", "b", [3, 0])
