from __future__ import annotations

import json

import pytest
from tests.fakes.compose import project

from wharf.cli.compose.building import build_query, check_build
from wharf.compose.model.build import Build
from wharf.errors import NotImplementedHere


def test_build_is_what_the_file_says() -> None:
    app = project("""
services:
  a:
    platform: linux/arm64
    build: {context: ., target: t, args: [A=1, B], tags: [x:2], labels: {l: 1}, no_cache: true, pull: true,
            network: host, shm_size: 1m, extra_hosts: ["h:1.1.1.1"], ulimits: {nofile: {soft: 1, hard: 2}}}
""")
    service = app.services["a"]
    assert service.build is not None
    query = build_query(app, service, service.build)

    assert (query["t"], query["target"], query["platform"]) == (["app-a", "x:2"], "t", "linux/arm64")
    assert (query["nocache"], query["pull"], query["networkmode"], query["shmsize"]) == (True, True, "host", 1 << 20)
    assert (json.loads(str(query["buildargs"])), query["extrahosts"]) == ({"A": "1"}, ["h:1.1.1.1"])
    assert json.loads(str(query["ulimits"])) == [{"Name": "nofile", "Soft": 1, "Hard": 2}]
    labels = json.loads(str(query["labels"]))
    assert (labels["l"], labels["com.docker.compose.project"], labels["com.docker.compose.service"]) == (
        "1",
        "app",
        "a",
    )


@pytest.mark.parametrize(
    "build", [{"ssh": {"default": None}}, {"cache_to": ["x"]}, {"privileged": True}, {"sbom": "true"}]
)
def test_what_only_buildkit_can_is_refused_by_name(build: dict[str, object]) -> None:
    service = project("services: {a: {build: .}}").services["a"]

    with pytest.raises(NotImplementedHere, match=rf"services\.a\.build\.{next(iter(build))}: it needs BuildKit"):
        check_build(service, Build(**build))  # type: ignore[arg-type]
    check_build(service, Build(sbom="false"))
