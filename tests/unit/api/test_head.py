from __future__ import annotations

import pytest

from wharf.api.head import MAX_HEAD_BYTES, TakeoverRequest, split_takeover, without_repeats

EXEC = b"POST /exec/a/start HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\n"
ATTACH = b"POST /v1.51/containers/a/attach?stdin=1 HTTP/1.1\r\nHost: d\r\n"


@pytest.mark.parametrize(
    "data",
    [
        b"GET /containers/a/attach HTTP/1.1\r\n\r\n",
        b"POST /containers/a/start HTTP/1.1\r\n\r\n",
        b"POST /containers/a/attached HTTP/1.1\r\n\r\n",
        b"POST /images/a/attach HTTP/1.1\r\n\r\n",
        b"POST /containers/create?x=/containers/a/attach HTTP/1.1\r\n\r\n",
        b"POST /containers/create HTTP/1.1\r\nX: y\r\nPOST /containers/a/attach HTTP/1.1\r\n\r\n",
        ATTACH + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
        ATTACH + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
        EXEC + b"x\r\n",
        EXEC + b"2\r\n{}x\r\n",
        EXEC + b"0\r\nTrailer: x\r\n\r\n",
        EXEC + b"fffff\r\n",
        b"POST " + b"x" * MAX_HEAD_BYTES,
    ],
)
def test_other_requests_are_left_to_the_parser(data: bytes) -> None:
    assert split_takeover(data) is False


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PO",
        b"POST /con",
        ATTACH,
        ATTACH + b"\r",
        ATTACH + b"Content-Length: 5\r\n\r\nabcd",
        *(EXEC + b"2;x=y\r\n{}\r\n0\r\n\r\n"[:length] for length in (0, 1, 7, 8, 10, 12, 15)),
    ],
)
def test_part_of_a_request_needs_more(data: bytes) -> None:
    assert split_takeover(data) is True


@pytest.mark.parametrize(
    ("fields", "rest", "expected"),
    [
        (b"", b"", TakeoverRequest(ATTACH + b"\r\n", b"", upgrade="")),
        (b"", b"in\r\n\r\n", TakeoverRequest(ATTACH + b"\r\n", b"in\r\n\r\n", upgrade="")),
        (b"Upgrade: tcp\r\n", b"in", TakeoverRequest(ATTACH + b"\r\n", b"in", upgrade="tcp")),
        (
            b"UPGRADE:tcp\r\nContent-Length: 2\r\n",
            b"{}in",
            TakeoverRequest(ATTACH + b"Content-Length: 2\r\n\r\n{}", b"in", upgrade="tcp"),
        ),
        (
            b"Transfer-Encoding: chunked\r\nUpgrade: h2c\r\n",
            b"PRI *",
            TakeoverRequest(ATTACH + b"\r\n", b"PRI *", upgrade="h2c"),
        ),
    ],
)
def test_request_is_set_apart_from_what_follows(fields: bytes, rest: bytes, expected: TakeoverRequest) -> None:
    assert split_takeover(ATTACH + fields + b"\r\n" + rest) == expected


def test_a_body_in_chunks_is_put_together() -> None:
    found = split_takeover(EXEC + b"1\r\n{\r\n1;x=y\r\n}\r\n0\r\n\r\nin")

    head = b"POST /exec/a/start HTTP/1.1\r\nHost: d\r\nContent-Length: 2\r\n\r\n"
    assert found == TakeoverRequest(head + b"{}", b"in", upgrade="")


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (b"content-type: a\r\nX: y\r\nContent-Type: b\r\n", b"content-type: a\r\nX: y\r\n"),
        (b"User-Agent: a\r\nuser-agent: a\r\nContent-Type: b\r\n", b"User-Agent: a\r\nContent-Type: b\r\n"),
        (b"User-Agent: a\r\nContent-Type: b\r\nX-Content-Type: c\r\n", None),
        (b"Host: a\r\nHost: b\r\n", None),
        (b"", None),
    ],
)
def test_the_first_of_fields_that_may_come_once_is_kept(fields: bytes, kept: bytes | None) -> None:
    line, body = b"POST /build HTTP/1.1\r\n", b"\r\nContent-Type: x\r\nContent-Type: y\r\n\r\n"

    assert (
        without_repeats(line + fields + b"\r\n" + body) == line + (fields if kept is None else kept) + b"\r\n" + body
    )


def test_part_of_a_head_is_left_as_it_is() -> None:
    part = b"POST /build HTTP/1.1\r\nContent-Type: a\r\nContent-Type: b\r\n"

    assert without_repeats(part) == part
