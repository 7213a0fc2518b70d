from __future__ import annotations

import pytest
from tests.fakes.builds import HOST

from wharf.build.convert.options import Options, SecretFile
from wharf.build.graph.operations import Source
from wharf.engine.buildkit.attributes import asked_of, options_of
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.images.platform import parse_platform

ARM = parse_platform("linux/arm64")
MAIN = Source("local://context")


def options(**attributes: str) -> Options:
    names = {name.replace("_", "-"): value for name, value in attributes.items()}
    return options_of(asked_of(names), HOST, HOST, MAIN)


def test_every_option_of_the_frontend_becomes_one_of_the_builder() -> None:
    attributes = {
        "target": "t",
        "build-arg:A": "1",
        "build-arg:BUILDKIT_SANDBOX_HOSTNAME": "box",
        "label:k": "v",
        "context:other": "local:other",
        "context:base::linux/arm64": "docker-image://arm",
        "context:base": "docker-image://any",
        "no-cache": "One,two",
        "force-network-mode": "none",
        "add-hosts": "a=1.2.3.4,b=::1",
        "ulimit": "nofile=1024:2048,nproc=5",
        "cgroup-parent": "/p",
        "shm-size": "65536",
        "image-resolve-mode": "pull",
        "vcs:revision": "abc",
        "wharf.secret-file:s": "5::440",
    }
    expected = Options(
        host=HOST,
        platform=ARM,
        target="t",
        build_args={"A": "1", "BUILDKIT_SANDBOX_HOSTNAME": "box"},
        labels={"k": "v"},
        contexts={"other": "local:other", "base": "docker-image://arm"},
        no_cache_stages=frozenset({"one", "two"}),
        network="none",
        extra_hosts=("a:1.2.3.4", "b:::1"),
        ulimits=(("nofile", 1024, 2048), ("nproc", 5, 5)),
        cgroup_parent="/p",
        shm_bytes=65536,
        hostname="box",
        resolve_mode="pull",
        context="local://context",
        secret_files={"s": SecretFile(5, None, 0o440)},
    )

    assert options_of(asked_of(attributes), HOST, ARM, MAIN) == expected


def test_an_empty_no_cache_is_about_all_stages() -> None:
    assert (options(no_cache="").no_cache, options().no_cache) == (True, False)


def test_limits_of_commands_keep_their_kinds() -> None:
    assert asked_of({"memory": "1024", "cpusetcpus": "0-1"}).limits == {"Memory": 1024, "CpusetCpus": "0-1"}


def test_several_platforms_are_asked_for_by_their_number_or_by_name() -> None:
    assert asked_of({"platform": "linux/amd64,linux/arm64"}).multi_platform
    assert not asked_of({"platform": "linux/amd64"}).multi_platform
    assert asked_of({"platform": "linux/amd64", "multi-platform": "true"}).multi_platform


@pytest.mark.parametrize(
    "attributes",
    [
        {"platform": "linux/amd64,linux/arm64", "multi-platform": "false"},
        {"platform": "amiga/68k"},
        {"force-network-mode": "bridge"},
        {"image-resolve-mode": "sometimes"},
        {"shm-size": "much"},
        {"memory": "1g"},
        {"add-hosts": "nonsense"},
        {"ulimit": "nofile=many"},
        {"ulimit": "5"},
    ],
)
def test_what_is_malformed_is_refused(attributes: dict[str, str]) -> None:
    with pytest.raises(InvalidArgument):
        options_of(asked_of(attributes), HOST, HOST, MAIN)


def test_an_option_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedHere, match="frontend option hologram"):
        asked_of({"hologram": "1"})
