from __future__ import annotations

import pytest

from wharf.build.provenance.predicate import Asked
from wharf.engine.buildkit.attests import Attests, Sbom, attests_of
from wharf.errors import InvalidArgument, NotImplementedHere


def test_what_is_asked_for_is_read() -> None:
    assert attests_of({}) == Attests()
    assert attests_of({"attest:provenance": "mode=min,inline-only=true"}) == Attests(Asked(), inline_only=True)
    assert attests_of(
        {"attest:provenance": "type=provenance,mode=max,version=v1,builder-id=b,reproducible=true"}
    ) == (Attests(Asked(everything=True, version="v1", builder="b", reproducible=True)))
    assert attests_of({"attest:provenance": "disabled=true", "attest:sbom": "generator=g,SELECT=a"}) == Attests(
        sbom=Sbom("g", {"SELECT": "a"})
    )
    assert attests_of({"build-arg:BUILDKIT_ATTEST_PROVENANCE": "mode=min"}).provenance == Asked()


def test_everything_is_said_where_nothing_else_is_asked() -> None:
    found = attests_of({"attest:provenance": "", "attest:sbom": ""})
    assert (found.provenance, found.sbom and found.sbom.generator) == (
        Asked(everything=True),
        "docker/buildkit-syft-scanner:stable-1",
    )


def test_some_is_said_only_where_images_are_kept() -> None:
    inline = attests_of({"attest:provenance": "mode=min,inline-only=true"})
    assert (inline.are_any(inline=True), inline.are_any(inline=False)) == (True, False)
    assert attests_of({"attest:sbom": "generator=g"}).are_any(inline=False)
    assert not Attests().are_any(inline=True)


@pytest.mark.parametrize(
    ("attributes", "kind", "said"),
    [
        ({"attest:magic": ""}, NotImplementedHere, "kind magic"),
        ({"attest:provenance": "color=blue"}, NotImplementedHere, "option color of provenance"),
        ({"attest:provenance": "mode=most"}, InvalidArgument, "invalid mode most"),
        ({"attest:provenance": "version=v9"}, InvalidArgument, "invalid provenance SLSA version"),
        ({"attest:provenance": "words"}, InvalidArgument, "list of key=value"),
    ],
)
def test_what_there_is_not_is_refused(attributes: dict[str, str], kind: type[Exception], said: str) -> None:
    with pytest.raises(kind, match=said):
        attests_of(attributes)
