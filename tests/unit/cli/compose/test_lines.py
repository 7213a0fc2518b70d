from __future__ import annotations

import pytest

from wharf.cli.compose.lines import Lines, coloured, short_name
from wharf.client.frames import STDERR, STDOUT
from wharf.compose.plan.observed import Container

WEB = Container("1", "app-web-1", "web", 1, "running")
DATABASE = Container("2", "database", "db", 1, "running")


def test_lines_have_prefixes_of_one_width_and_go_where_they_came_from(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    lines = Lines("app-", colour=False)
    lines.expect([WEB, DATABASE])
    lines.show(WEB, STDOUT, b"one")
    lines.show(DATABASE, STDERR, b"two")
    lines.ended(WEB, 3)
    out, err = capfdbinary.readouterr()

    assert out == b"web-1     | one\nweb-1 exited with code 3\n"
    assert err == b"database  | two\n"


def test_each_container_has_a_colour_of_its_own() -> None:
    lines = Lines("app-")
    lines.expect([WEB], names=["app-longer-1"])

    assert lines.prefix(WEB) == "\033[36mweb-1     | \033[0m"
    assert lines.prefix(DATABASE).startswith("\033[33m")
    assert Lines("app-", prefix=False).prefix(WEB) == ""
    assert short_name("app", DATABASE) == "database"


@pytest.mark.parametrize(
    ("ansi", "no_color", "expected"),
    [("always", False, True), ("always", True, False), ("never", False, False), ("auto", False, False)],
)
def test_colours_are_for_terminals_unless_flags_say_otherwise(ansi: str, no_color: bool, expected: bool) -> None:
    assert coloured(ansi, no_color=no_color) is expected
