from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.cli.compose.transfers import to_pull


@pytest.mark.parametrize(
    ("service", "policy", "expected"),
    [
        ("{image: x}", "", True),
        ("{image: 'x:1'}", "missing", False),
        ("{image: x}", "missing", False),
        ("{image: y}", "missing", True),
        ("{image: 'x:1', pull_policy: missing}", "", False),
        ("{image: x, pull_policy: missing}", "", True),  # latest is expected to move
        ("{image: x, pull_policy: daily}", "", True),
        ("{image: x, pull_policy: never}", "", False),
        ("{image: x, pull_policy: never}", "always", True),
        ("{image: x, build: ., pull_policy: build}", "", False),
        ("{build: .}", "", False),
    ],
)
def test_images_are_pulled_as_their_services_say(service: str, policy: str, *, expected: bool) -> None:
    found = project(f"services: {{a: {service}}}").services["a"]

    assert to_pull(found, {"x", "x:1"}, policy=policy) is expected
