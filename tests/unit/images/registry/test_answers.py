from __future__ import annotations

import pytest

from wharf.errors import Forbidden, NotFound, Unauthorized, Unavailable, WharfError
from wharf.images.registry.answers import details, failure


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (429, Unavailable),
        (503, Unavailable),
        (418, WharfError),
    ],
)
def test_a_status_is_one_of_our_errors(status: int, kind: type[WharfError]) -> None:
    error = failure(status, b"", "blob x")

    assert (type(error), str(error)) == (kind, f"blob x: the registry answered with status {status}")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            b'{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}',
            "manifest unknown: manifest unknown",
        ),
        (b'{"errors":[{"code":"A"},{"message":"b"},null]}', "a; b"),
        (b'{"details":"incorrect username or password"}', "incorrect username or password"),
        (b"<html>bad gateway</html>", "<html>bad gateway</html>"),
        (b"[]", ""),
        (b"", ""),
    ],
)
def test_a_registrys_own_words_are_told(body: bytes, expected: str) -> None:
    assert details(body) == expected
