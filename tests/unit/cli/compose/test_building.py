from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.compose import project

from wharf.cli.compose.building import (
    build_options,
    check_build,
    contexts,
    grants,
    lent_secrets,
    platforms_of,
    secret_files,
)
from wharf.compose.model.base import FileMode
from wharf.compose.model.build import Build
from wharf.compose.model.mounts import FileReference
from wharf.errors import InvalidArgument, NotImplementedHere


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
    options = build_options(app, service, service.build)

    assert {name: value for name, value in options.items() if not name.startswith("label:com.docker")} == {
        "target": "t",
        "platform": "linux/arm64",
        "no-cache": "",
        "image-resolve-mode": "pull",
        "force-network-mode": "host",
        "shm-size": str(1 << 20),
        "add-hosts": "h=1.1.1.1",
        "ulimit": "nofile=1:2",
        "build-arg:A": "1",
        "label:l": "1",
    }
    assert options["label:com.docker.compose.project"] == "app"
    assert options["label:com.docker.compose.service"] == "a"


def test_stages_can_be_done_anew_alone() -> None:
    app = project("services: {a: {build: .}}")

    assert build_options(app, app.services["a"], Build(no_cache_filter=["one", "two"]))["no-cache"] == "one,two"


def test_contexts_are_folders_images_and_other_services(tmp_path: Path) -> None:
    app = project("services: {a: {build: .}, b: {image: base}}")
    build = Build(additional_contexts={"one": str(tmp_path), "two": "service:b", "three": "https://x/y.git"})

    assert contexts(app, build) == (
        {"context:one": "local:one", "context:two": "docker-image://base", "context:three": "https://x/y.git"},
        {"one": str(tmp_path)},
    )


def test_secrets_of_a_build_are_the_projects(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("from a file")
    app = project(f"""
services: {{a: {{build: {{context: ., secrets: [one, {{source: two, target: other}}]}}}}}}
secrets: {{one: {{file: {tmp_path}/s}}, two: {{environment: WORD}}, three: {{external: true}}}}
""", variables={"WORD": "from outside"})  # fmt: skip
    service = app.services["a"]
    assert service.build is not None
    found = lent_secrets(app, service, service.build)

    assert {name: read() for name, read in found.items()} == {"one": b"from a file", "other": b"from outside"}
    build = project("services: {a: {build: {context: ., secrets: [x]}}}\nsecrets: {x: {external: true}}")
    with pytest.raises(InvalidArgument, match=r"services\.a\.build\.secrets: x is not a secret"):
        lent_secrets(build, build.services["a"], build.services["a"].build or Build())


def test_secrets_of_a_build_have_owners_and_modes_where_the_engine_knows_how() -> None:
    service = project("services: {a: {build: .}}").services["a"]
    usual, owned = (
        FileReference(source="one"),
        FileReference(source="two", target="t", uid="103", mode=FileMode(0o440)),
    )

    assert secret_files(lambda: "Wharf", service, Build(secrets=[usual, owned])) == {
        "wharf.secret-file:t": "103::440"
    }
    assert secret_files(lambda: "Docker", service, Build(secrets=[usual])) == {}
    with pytest.raises(NotImplementedHere, match=r"services\.a\.build\.secrets\.1 is not supported by this engine"):
        secret_files(lambda: "Docker", service, Build(secrets=[usual, owned]))
    with pytest.raises(InvalidArgument, match=r"services\.a\.build\.secrets\.0: uid and gid must be numbers"):
        secret_files(lambda: "Wharf", service, Build(secrets=[FileReference(gid="staff")]))


def test_what_cannot_be_done_is_refused_by_name() -> None:
    service = project("services: {a: {build: .}}").services["a"]

    with pytest.raises(NotImplementedHere, match=r"services\.a\.build\.isolation is not supported here"):
        check_build(service, Build(isolation="hyperv"))
    check_build(service, Build(isolation="default"))


def test_commands_may_do_what_the_file_grants() -> None:
    assert grants(Build()) == []
    assert grants(Build(network="host")) == ["network.host"]
    assert grants(Build(entitlements=["network.host"], privileged=True)) == ["network.host", "security.insecure"]


@pytest.mark.parametrize(
    ("service", "default", "single", "expected"),
    [
        ("build: .", "", True, []),
        ("build: .", "linux/arm64", True, ["linux/arm64"]),
        ("{build: {context: ., platforms: [a/b, c/d]}}", "", False, ["a/b", "c/d"]),
        ("{build: {context: ., platforms: [a/b, c/d]}}", "", True, []),
        ("{build: {context: ., platforms: [a/b]}}", "", True, ["a/b"]),
        ("{build: {context: ., platforms: [a/b, c/d]}, platform: c/d}", "", True, ["c/d"]),
        ("{build: {context: ., platforms: [a/b, c/d]}, platform: c/d}", "", False, ["a/b", "c/d"]),
        ("{build: {context: ., platforms: [a/b, c/d]}}", "c/d", True, ["c/d"]),
    ],
)
def test_one_platform_is_built_for_what_runs_here(
    service: str, default: str, expected: list[str], *, single: bool
) -> None:
    text = service if service.startswith("{") else f"{{{service}}}"
    app = project(f"services: {{a: {text}}}", variables={"DOCKER_DEFAULT_PLATFORM": default})
    a = app.services["a"]
    assert a.build is not None

    assert platforms_of(app, a, a.build, single=single) == expected


def test_platform_that_a_build_is_not_for_is_refused() -> None:
    text = "services: {a: {build: {context: ., platforms: [a/b]}}}"
    app = project(text, variables={"DOCKER_DEFAULT_PLATFORM": "c/d"})
    a = app.services["a"]
    assert a.build is not None

    with pytest.raises(InvalidArgument, match="does not support value set by DOCKER_DEFAULT_PLATFORM: c/d"):
        platforms_of(app, a, a.build, single=True)
