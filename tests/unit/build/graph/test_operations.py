from __future__ import annotations

import pytest

from wharf.build.graph.operations import Source


@pytest.mark.parametrize(
    ("identifier", "parts"),
    [
        ("docker-image://docker.io/library/busybox:latest", ("docker-image", "docker.io/library/busybox:latest")),
        ("https://example.com/a?b=c://d", ("https", "example.com/a?b=c://d")),
        ("local://context", ("local", "context")),
    ],
)
def test_a_source_is_a_scheme_and_the_rest(identifier: str, parts: tuple[str, str]) -> None:
    source = Source(identifier)

    assert (source.scheme, source.rest) == parts


def test_an_attribute_that_is_not_there_is_empty() -> None:
    source = Source("git://a", (("git.keepgitdir", "true"),))

    assert (source.attribute("git.keepgitdir"), source.attribute("git.subdir")) == ("true", "")
