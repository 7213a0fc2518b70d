from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.cli.compose.foreground import attached_services
from wharf.cli.compose.up import UP_FLAGS
from wharf.cli.flags import parse

APP = "services: {web: {image: x, depends_on: [db]}, db: {image: x}, quiet: {image: x, attach: false}}"


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ([], {"web", "db"}),
        (["web"], {"web"}),
        (["--attach-dependencies", "web"], {"web", "db"}),
        (["--attach", "quiet"], {"quiet"}),
        (["--no-attach", "db"], {"web"}),
    ],
)
def test_output_is_shown_of_those_that_flags_and_files_say(words: list[str], shown: set[str]) -> None:
    values, services = parse(UP_FLAGS, words)

    assert attached_services(project(APP), values, services) == shown
