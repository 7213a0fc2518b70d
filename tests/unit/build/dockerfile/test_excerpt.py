from __future__ import annotations

from wharf.build.dockerfile.excerpt import excerpt

_FILE = "FROM scratch\nRUN a\nRUN b \\\n  c\nRUN d\nRUN e\nRUN f"


def test_one_line_is_shown_between_two_on_each_side() -> None:
    assert excerpt(_FILE, "Dockerfile", (5, 5)) == (
        "Dockerfile:5\n--------------------\n"
        "   3 |     RUN b \\\n   4 |       c\n   5 | >>> RUN d\n   6 |     RUN e\n   7 |     RUN f\n"
        "--------------------\n"
    )


def test_lines_that_belong_together_are_all_marked() -> None:
    assert excerpt(_FILE, "f", (3, 4)) == (
        "f:3\n--------------------\n"
        "   2 |     RUN a\n   3 | >>> RUN b \\\n   4 | >>>   c\n   5 |     RUN d\n"
        "--------------------\n"
    )


def test_at_the_top_more_is_shown_behind() -> None:
    assert excerpt(_FILE, "f", (1, 1)).splitlines()[2:-1] == [
        "   1 | >>> FROM scratch",
        "   2 |     RUN a",
        "   3 |     RUN b \\",
    ]


def test_a_place_outside_the_file_shows_nothing() -> None:
    assert [excerpt(_FILE, "f", lines) for lines in ((0, 0), (9, 9))] == ["", ""]
