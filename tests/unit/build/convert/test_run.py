from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.builds import converted

from wharf.build.convert.options import SecretFile
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.graph.operations import Exec, Mount, SecretVariable, Source
from wharf.build.graph.vertex import Vertex


def _vertex(text: str, **options: Any) -> Vertex:
    found = converted(f"FROM base\n{text}", **options).target
    assert found is not None
    assert isinstance(found.vertex.operation, Exec)
    return found.vertex


def _exec(text: str, **options: Any) -> Exec:
    operation = _vertex(text, **options).operation
    assert isinstance(operation, Exec)
    return operation


def test_a_command_runs_with_the_stages_environment_user_and_folder() -> None:
    found = _exec("ARG v=1\nENV a=2\nUSER u\nWORKDIR /w\nRUN make $v")

    assert found.args == ("/bin/sh", "-c", "make $v")
    assert found.env == ("PATH=/bin", "v=1", "a=2")
    assert (found.user, found.cwd) == ("u", "/w")


def test_proxies_reach_the_command_and_count_for_nothing() -> None:
    plain, behind = _vertex("RUN x"), _vertex("RUN x", build_args={"http_proxy": "http://p"})

    assert behind.description.environment == ("http_proxy=http://p",)
    assert plain.digest == behind.digest


def test_options_of_the_build_hold_for_every_command() -> None:
    found = _exec("RUN x", network="none", extra_hosts=("a:1",), ulimits=(("nofile", 1, 2),), shm_bytes=9)

    assert (found.network, found.extra_hosts, found.ulimits, found.shm_bytes) == (
        "none", ("a:1",), (("nofile", 1, 2),), 9,
    )  # fmt: skip
    assert _exec("RUN --network=host x", network="none").network == "host"


def test_a_document_alone_is_the_script() -> None:
    assert _exec("RUN <<E\na\nb\nE").args[-1] == "a\nb\n"
    assert _exec("RUN cat <<E\na\nE").args[-1] == "cat <<E\na\nE"


def test_a_document_with_an_interpreter_is_a_file_that_is_run() -> None:
    vertex = _vertex("RUN <<E\n#!/usr/bin/awk\nE")
    assert isinstance(vertex.operation, Exec)

    assert vertex.operation.args[-1] == "/dev/pipes/E"
    assert vertex.operation.mounts[1] == Mount("/dev/pipes", 1, read_only=True)


def test_mounts_name_inputs_and_what_of_them() -> None:
    vertex = _vertex(
        "ARG n=c\nRUN --mount=type=bind,from=other,source=/s,target=/t --mount=target=ctx,rw"
        " --mount=type=cache,target=/$n,sharing=locked --mount=type=tmpfs,target=/m,size=1m x"
    )
    assert isinstance(vertex.operation, Exec)

    assert vertex.operation.mounts[1:] == (
        Mount("/t", 1, selector="/s", read_only=True),
        Mount("/ctx", 2),
        Mount("/c", type="cache", id="//c", sharing="locked"),
        Mount("/m", type="tmpfs", size_bytes=1 << 20),
    )
    sources = [edge.vertex.operation for edge in vertex.inputs]
    assert [source.identifier for source in sources if isinstance(source, Source)][1:] == [
        "docker-image://docker.io/library/other:latest",
        "local://context",
    ]


def test_secrets_and_agents_have_docker_s_places() -> None:
    found = _exec("RUN --mount=type=secret,id=key --mount=type=secret,id=t,env=TOKEN,required --mount=type=ssh x")

    assert found.mounts[1:] == (
        Mount("/run/secrets/key", type="secret", id="key", mode=0o400, optional=True),
        Mount("/run/buildkit/ssh_agent.0", type="ssh", id="default", mode=0o600, optional=True),
    )
    assert found.secret_env == (SecretVariable("TOKEN", "t"),)
    assert "SSH_AUTH_SOCK=/run/buildkit/ssh_agent.0" in found.env


def test_a_cache_with_an_owner_starts_from_a_folder_of_that_owner() -> None:
    found = _exec("RUN --mount=type=cache,target=/c,uid=5,mode=0700 x")

    assert found.mounts[1] == Mount("/c", 1, selector="/cache", type="cache", id="//c")


def test_secrets_are_whose_the_client_says_where_the_step_does_not() -> None:
    files = {"key": SecretFile(5, None, 0o440), "other": SecretFile(7, 7, 0o777)}
    found = _exec("RUN --mount=type=secret,id=key,gid=6 --mount=type=secret,id=t x", secret_files=files)

    assert [(one.uid, one.gid, one.mode) for one in found.mounts[1:]] == [(5, 6, 0o440), (0, 0, 0o400)]


def test_names_show_values_but_never_a_secrets() -> None:
    vertex = _vertex("ARG v=1\nENV TOKEN=visible\nRUN --mount=type=secret,id=t,env=TOKEN echo $v $TOKEN $other")

    assert vertex.description.name.endswith("echo 1 **** $other")


def test_history_tells_the_arguments() -> None:
    found = converted("FROM base\nARG v=1\nRUN x")

    assert found.image["history"][-1]["created_by"] == "RUN |1 v=1 /bin/sh -c x # buildkit"


def test_a_mount_without_a_target_is_where_the_command_runs() -> None:
    found = _exec("WORKDIR /work\nRUN --mount=from=other,source=/s,rw x")

    assert [(mount.target, mount.selector) for mount in found.mounts] == [("/", ""), ("/work", "/s")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("RUN --mount=target=/ x", 'invalid mount target "/"'),
        ("RUN --mount=type=what,target=/a x", 'unsupported mount type "what"'),
        ("RUN", "RUN requires at least one argument"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(DockerfileError) as caught:
        _exec(text)

    assert (str(caught.value), caught.value.lines) == (said, (2, 2))
