from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.engine.ocispec.test_build import FACTS, PLAIN

from wharf.engine.ocispec import security
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig


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


_WITHOUT = FACTS
_WITH = replace(_WITHOUT, apparmor=True, selinux=True)


@pytest.mark.parametrize(
    ("host", "profile"),
    [
        ({"SecurityOpt": ["apparmor=mine"]}, "mine"),
        ({"SecurityOpt": ["apparmor:mine"], "Privileged": True}, "mine"),
        ({"SecurityOpt": ["apparmor=unconfined"]}, "unconfined"),
        ({"Privileged": True}, "unconfined"),
        ({}, ""),
    ],
)
def test_an_apparmor_profile_is_honoured_where_the_kernel_has_apparmor(host: HostConfig, profile: str) -> None:
    assert security.apparmor_profile(host, _WITH) == profile
    assert security.apparmor_profile(host, _WITHOUT) == ""


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ([], ("", "")),
        (["label=disable"], ("", "")),
        (["label=disable", "label=type:mine_t"], ("", "")),
        (
            ["label=type:mine_t", "label=level:s0:c1,c2"],
            ("system_u:system_r:mine_t:s0:c1,c2", "system_u:object_r:container_file_t:s0:c1,c2"),
        ),
        (
            ["label:user:staff_u", "label=role:r", "label=filetype:f_t"],
            ("staff_u:r:container_t:s0", "staff_u:object_r:f_t:s0"),
        ),
    ],
)
def test_selinux_labels_are_made_of_their_parts_where_the_kernel_has_selinux(
    options: list[str], labels: tuple[str, str]
) -> None:
    host: HostConfig = {"SecurityOpt": options}

    assert security.selinux_labels(host, _WITH) == labels
    assert security.selinux_labels(host, _WITHOUT) == ("", "")


@pytest.mark.parametrize("option", ["label=colour:blue", "label=type", "label=type:"])
def test_a_label_of_no_known_part_is_refused(option: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid --security-opt 2"):
        security.security_options({"SecurityOpt": [option]})


@pytest.mark.parametrize(
    ("option", "on"),
    [("no-new-privileges", True), ("no-new-privileges=1", True), ("no-new-privileges:True", True),
     ("no-new-privileges:false", False)],
)  # fmt: skip
def test_no_new_privileges_is_read_as_go_reads_booleans(option: str, on: bool) -> None:
    assert security.no_new_privileges({"SecurityOpt": [option]}) is on


@pytest.mark.parametrize(
    ("option", "on"),
    [("writable-cgroups", True), ("writable-cgroups=1", True), ("writable-cgroups=false", False)],
)
def test_control_groups_are_writable_when_asked_for(option: str, on: bool) -> None:
    assert security.writable_cgroups({"SecurityOpt": [option]}) is on
    assert security.writable_cgroups({}) is False
    assert security.writable_cgroups({"Privileged": True}) is True
    assert security.writable_cgroups({"Privileged": True, "SecurityOpt": [option]}) is on
