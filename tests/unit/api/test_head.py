from __future__ import annotations

import pytest

from wharf.api.head import MAX_HEAD_BYTES, TakeoverRequest, split_takeover

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
        ATTACH + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST " + b"x" * MAX_HEAD_BYTES,
    ],
)
def test_other_requests_are_left_to_the_parser(data: bytes) -> None:
    assert split_takeover(data) is False


@pytest.mark.parametrize(
    "data", [b"", b"PO", b"POST /con", ATTACH, ATTACH + b"\r", ATTACH + b"Content-Length: 5\r\n\r\nabcd"]
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
    ],
)
def test_request_is_set_apart_from_what_follows(fields: bytes, rest: bytes, expected: TakeoverRequest) -> None:
    assert split_takeover(ATTACH + fields + b"\r\n" + rest) == expected
