from __future__ import annotations

import pytest

from wharf.engine.buildkit.frontends import DOCKERFILE, GATEWAY, frontend_of, other_syntax
from wharf.errors import InvalidArgument, NotImplementedHere


@pytest.mark.parametrize(
    "syntax",
    [
        "",
        "docker/dockerfile",
        "docker/dockerfile:1.7-labs",
        "docker.io/docker/dockerfile-upstream:master",
        "mirror.invalid:5000/docker/dockerfile@sha256:" + "0" * 64,
        "mirror.invalid/hub/docker/dockerfile:1",
    ],
)
def test_the_language_of_dockerfiles_is_ours_under_all_of_its_names(syntax: str) -> None:
    assert other_syntax(syntax) == ""
    if syntax:
        assert frontend_of("gateway.v0", {"source": syntax}) == DOCKERFILE


@pytest.mark.parametrize("syntax", ["example/llb", "notdocker/dockerfile", "docker/dockerfile/more"])
def test_another_language_is_an_image_that_is_run(syntax: str) -> None:
    assert other_syntax(f"{syntax} and more") == syntax
    assert frontend_of("gateway.v0", {"source": syntax}) == GATEWAY


def test_frontends_are_known_by_name() -> None:
    assert (frontend_of("", {}), frontend_of("dockerfile.v0", {})) == ("", DOCKERFILE)
    with pytest.raises(NotImplementedHere, match="the frontend hologram"):
        frontend_of("hologram", {})
    with pytest.raises(InvalidArgument, match="no source specified"):
        frontend_of("gateway.v0", {})
