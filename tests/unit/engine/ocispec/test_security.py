from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.engine.ocispec.test_build import FACTS, PLAIN

from wharf.engine.ocispec import security
from wharf.errors import InvalidArgument


def test_capabilities_are_dockers_default_when_nothing_is_asked() -> None:
    assert security.capabilities({}, FACTS)["bounding"] == list(security.DEFAULT_CAPABILITIES)


def test_dropping_all_and_adding_one_leaves_one() -> None:
    host = {"CapDrop": ["ALL"], "CapAdd": ["net_admin"]}

    assert security.capabilities(host, FACTS)["effective"] == ["CAP_NET_ADMIN"]


def test_adding_all_gives_what_this_host_has() -> None:
    assert security.capabilities({"CapAdd": ["ALL"]}, FACTS)["bounding"] == sorted(FACTS.capabilities)


def test_the_default_filter_allows_mount_only_with_cap_sys_admin() -> None:
    facts = replace(FACTS, seccomp=True)

    def allowed(cap_add: list[str]) -> set[str]:
        filter_ = security.seccomp(replace(PLAIN, facts=facts, host_config={"CapAdd": cap_add}))
        assert filter_ is not None
        return {
            name
            for rule in filter_["syscalls"]
            if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args")
            for name in rule["names"]
        }

    assert "mount" not in allowed([])
    assert "mount" in allowed(["SYS_ADMIN"])
    assert {"read", "execve", "clone3"} <= allowed(["SYS_ADMIN"])


def test_an_unconfined_container_has_no_filter() -> None:
    facts = replace(FACTS, seccomp=True)

    assert security.seccomp(replace(PLAIN, facts=facts, host_config={"SecurityOpt": ["seccomp=unconfined"]})) is None


@pytest.mark.parametrize(
    "profile", ["{", "[]", '{"syscalls": []}', '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [1]}']
)
def test_a_profile_that_is_no_profile_is_refused(profile: str) -> None:
    inputs = replace(PLAIN, facts=replace(FACTS, seccomp=True), host_config={"SecurityOpt": [f"seccomp={profile}"]})

    with pytest.raises(InvalidArgument, match="Decoding seccomp profile failed"):
        security.seccomp(inputs)


def test_systempaths_unconfined_unmasks() -> None:
    assert security.masked_paths({"SecurityOpt": ["systempaths=unconfined"]}) == []
    assert "/proc/kcore" in security.masked_paths({})
