from __future__ import annotations

import io

import pytest

from wharf.cli.progress import Plain, Terminal, show_progress
from wharf.errors import WharfError

NEWS: list[dict[str, object]] = [
    {"status": "Pulling from library/busybox", "id": "latest"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "a"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "b"},
    {"status": "Downloading", "progressDetail": {"current": 1}, "progress": "[>] 1B/2B", "id": "a"},
    {"status": "Pull complete", "progressDetail": {}, "id": "a"},
    {"status": "Digest: sha256:0"},
]


def test_a_file_gets_every_news_but_counts() -> None:
    out = io.StringIO()
    show_progress(NEWS, out)

    assert out.getvalue().splitlines() == [
        "latest: Pulling from library/busybox",
        "a: Pulling fs layer",
        "b: Pulling fs layer",
        "a: Pull complete",
        "Digest: sha256:0",
    ]


def test_a_terminal_renews_each_steps_own_line() -> None:
    out = io.StringIO()
    terminal = Terminal(out, 24)
    for document in NEWS:
        terminal.show(document)

    assert out.getvalue() == (
        "latest: Pulling from library/busybox\n"
        "a: Pulling fs layer\n"
        "b: Pulling fs layer\n"
        "\033[2A\r\033[Ka: Downloading [>] 1B/2B\033[2B\r"
        "\033[2A\r\033[Ka: Pull complete\033[2B\r"
        "Digest: sha256:0\n"
    )


def test_what_has_scrolled_away_is_not_renewed() -> None:
    out = io.StringIO()
    terminal = Terminal(out, 2)
    for document in NEWS[1:4]:
        terminal.show(document)

    assert out.getvalue() == "a: Pulling fs layer\nb: Pulling fs layer\n"


def test_a_stream_of_text_is_written_as_it_is() -> None:
    out = io.StringIO()
    Plain(out).show({"stream": "Loaded image: a:1\n"})

    assert out.getvalue() == "Loaded image: a:1\n"


@pytest.mark.parametrize("failure", [{"error": "gone"}, {"errorDetail": {"message": "gone"}}])
def test_a_failure_is_raised_though_nothing_is_shown(failure: dict[str, object]) -> None:
    with pytest.raises(WharfError, match=r"^gone$"):
        show_progress([failure], None)
