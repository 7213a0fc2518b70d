from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any, cast

import pytest
from tests.unit.build.provenance.graphs import graph

from wharf.build.provenance.facts import Facts, Material
from wharf.build.provenance.predicate import SLSA_02, SLSA_1, Asked, predicate

ARGUMENTS = {
    "filename": "Dockerfile",
    "target": "t",
    "build-arg:TOKEN": "oops",
    "label:k": "v",
    "vcs:revision": "abc",
    "platform": "linux/amd64",
    "attest:provenance": "",
}
FACTS = Facts(
    "ref",
    "1",
    "2",
    "linux/amd64",
    "dockerfile.v0",
    ARGUMENTS,
    "Dockerfile",
    b"FROM x",
    target=graph(),
    materials=(Material("pkg:docker/b", {"sha256": "2"}), Material("pkg:docker/a")),
)


def _said(asked: Asked, facts: Facts = FACTS) -> tuple[str, dict[str, Any]]:
    return cast("tuple[str, dict[str, Any]]", predicate(facts, asked))


def test_little_is_said_by_default() -> None:
    kind, value = _said(Asked(builder="me"))
    assert (kind, value["builder"]) == (SLSA_02, {"id": "me"})
    assert value["invocation"]["parameters"] == {
        "frontend": "dockerfile.v0",
        "args": {"filename": "Dockerfile", "target": "t"},
        "locals": [{"name": "context"}, {"name": "dockerfile"}],
    }
    assert value["metadata"]["completeness"] == {"parameters": False, "environment": True, "materials": False}
    assert [one["uri"] for one in value["materials"]] == ["pkg:docker/a", "pkg:docker/b"]
    assert "buildConfig" not in value
    assert "oops" not in str(value)


def test_everything_is_said_when_asked_for() -> None:
    _, value = _said(Asked(everything=True, reproducible=True))
    parameters = value["invocation"]["parameters"]
    assert (parameters["args"]["build-arg:TOKEN"], parameters["secrets"], parameters["ssh"]) == (
        "oops",
        [{"id": "token", "optional": True}],
        [{"id": "default"}],
    )
    assert not {"platform", "attest:provenance", "vcs:revision"} & set(parameters["args"])
    details = value["metadata"]["https://mobyproject.org/buildkit@v1#metadata"]
    assert details["vcs"] == {"revision": "abc"}
    assert base64.b64decode(details["source"]["infos"][0]["data"]) == b"FROM x"
    assert value["metadata"]["reproducible"] is True
    assert len(value["buildConfig"]["llbDefinition"]) == 6


@pytest.mark.parametrize("everything", [False, True])
def test_the_second_version_has_the_same_facts(everything: bool) -> None:  # a case
    kind, value = _said(Asked(everything=everything, version="v1"))
    definition, details = value["buildDefinition"], value["runDetails"]["metadata"]
    assert kind == SLSA_1
    assert definition["externalParameters"]["configSource"] == {"path": "Dockerfile"}
    assert ("buildConfig" in definition["internalParameters"]) == everything
    assert details["buildkit_completeness"] == {"request": everything, "resolvedDependencies": False}
    assert details["invocationId"] == "ref"
    assert "buildkit_hermetic" not in details


def test_a_build_from_elsewhere_says_from_where() -> None:
    remote = Material("https://host/x.git#main", {"sha1": "c0ffee"})
    facts = replace(FACTS, remote=remote, target=graph("none"))
    _, value = _said(Asked(), facts)
    assert value["invocation"]["configSource"] == {
        "uri": "https://host/x.git#main",
        "digest": {"sha1": "c0ffee"},
        "entryPoint": "Dockerfile",
    }
    assert value["metadata"]["completeness"]["materials"] is True
    assert value["metadata"]["https://mobyproject.org/buildkit@v1#hermetic"] is True


@pytest.mark.parametrize("asked", [Asked(), Asked(everything=True), Asked(everything=True, version="v1")])
def test_credentials_in_addresses_are_left_out(asked: Asked) -> None:
    address = "https://me:s3cret@git.example/x.git"
    remote = Material(f"git+{address}#main", {"sha1": "1" * 40})
    facts = replace(FACTS, remote=remote, arguments={**FACTS.arguments, "context": address, "context:other": address})

    said = str(_said(asked, facts))

    assert "s3cret" not in said
    assert "git+https://git.example/x.git#main" in said
