from __future__ import annotations

import pytest

from wharf.lib.challenge import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], []),
        (["Basic realm=x"], [Challenge("basic", {"realm": "x"})]),
        (
            ['Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"'],
            [Challenge("bearer", {"realm": "https://a/t", "service": "s", "scope": "repository:a/b:pull,push"})],
        ),
        (
            ['BEARER Realm="a \\"b\\"" , x=y, Basic realm="z"'],
            [Challenge("bearer", {"realm": 'a "b"', "x": "y"}), Challenge("basic", {"realm": "z"})],
        ),
        (["Negotiate", "Basic"], [Challenge("negotiate"), Challenge("basic")]),
        (['="', "Bearer realm="], [Challenge("bearer")]),
    ],
)
def test_challenges_are_read_in_their_order(headers: list[str], expected: list[Challenge]) -> None:
    assert parse_challenges(headers) == expected


def test_scopes_are_separated_by_spaces() -> None:
    [challenge] = parse_challenges(['Bearer scope="repository:a:pull repository:b:pull"'])

    assert challenge.scopes == ["repository:a:pull", "repository:b:pull"]
