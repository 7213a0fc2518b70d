from __future__ import annotations

import pytest

from wharf.cli.compose.one import _end


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("web:/srv/page", ("web", "/srv/page")),
        ("web:page", ("web", "page")),
        ("page", ("", "page")),
        ("-", ("", "-")),
        ("./web:page", ("", "./web:page")),
        ("/tmp/a:b", ("", "/tmp/a:b")),
    ],
)
def test_an_end_is_a_service_and_a_path_or_a_path_here(argument: str, expected: tuple[str, str]) -> None:
    assert _end(argument) == expected
