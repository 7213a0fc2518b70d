from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from wharf.engine.ocispec.build import build
from wharf.engine.ocispec.inputs import HostFacts, Inputs, Joined, ResolvedMount

FACTS = HostFacts(
    cgroup2=False,
    seccomp=False,
    kernel=(6, 1),
    arch="amd64",
    capabilities=frozenset({"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_NET_ADMIN"}),
    cpus=2,
)
PLAIN = Inputs(
    container_id="c" * 64,
    name="web",
    config={"Env": ["A=1"], "WorkingDir": "/srv"},
    host_config={},
    argv=["/bin/web", "--fast"],
    hostname="cccccccccccc",
    folder=Path("/data/containers/c"),
    cgroups_path="/wharf/key/c",
    sandbox="/run/netns/c",
    mounts=[],
    devices=[],
    joined=Joined(),
    facts=FACTS,
)


def test_a_plain_container_has_namespaces_of_its_own_and_enters_its_sandbox() -> None:
    assert build(PLAIN)["linux"]["namespaces"] == [
        {"type": "mount"},
        {"type": "pid"},
        {"type": "ipc"},
        {"type": "uts"},
        {"type": "network", "path": "/run/netns/c"},
    ]


def test_host_modes_leave_namespaces_out() -> None:
    host = {"PidMode": "host", "IpcMode": "host", "UTSMode": "host", "CgroupnsMode": "private"}
    spec = build(replace(PLAIN, host_config=host, sandbox=""))

    assert [n["type"] for n in spec["linux"]["namespaces"]] == ["mount", "cgroup"]
    assert "hostname" not in spec


def test_annotations_are_the_bundles() -> None:
    spec = build(replace(PLAIN, host_config={"Annotations": {"a": "b"}}))

    assert (spec.get("annotations") or {}).items() >= {"a": "b"}.items()


def test_no_sandbox_means_a_network_namespace_of_its_own() -> None:
    assert {"type": "network"} in build(replace(PLAIN, sandbox=None))["linux"]["namespaces"]


def test_the_process_has_path_hostname_and_what_was_asked_for() -> None:
    process = build(PLAIN)["process"]

    assert process["env"] == [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOSTNAME=cccccccccccc",
        "A=1",
    ]
    assert (process["args"], process["cwd"], process["terminal"]) == (["/bin/web", "--fast"], "/srv", False)


def test_a_later_mount_replaces_the_standard_one_of_the_same_place() -> None:
    spec = build(replace(PLAIN, mounts=[ResolvedMount("bind", "/mine", "/etc/hosts", read_only=True)]))
    hosts = [m for m in spec["mounts"] if m["destination"] == "/etc/hosts"]

    assert hosts == [
        {
            "destination": "/etc/hosts",
            "type": "bind",
            "source": "/mine",
            "options": ["rbind", "ro", "rro", "rprivate"],
        }
    ]


def test_mounts_are_made_from_the_outside_in() -> None:
    inner, outer = ResolvedMount("bind", "/a", "/x/y"), ResolvedMount("bind", "/b", "/x")
    spec = build(replace(PLAIN, mounts=[inner, outer]))

    assert [m["destination"] for m in spec["mounts"] if m["destination"].startswith("/x")] == ["/x", "/x/y"]


@pytest.mark.parametrize("read_only", [False, True])
def test_files_of_the_network_lie_on_a_mount_at_etc(read_only: bool) -> None:
    spec = build(replace(PLAIN, mounts=[ResolvedMount("volume", "/data/v", "/etc", read_only=read_only)]))
    order = [m["destination"] for m in spec["mounts"] if m["destination"].startswith("/etc")]

    assert order == ["/etc", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts"]


@pytest.mark.parametrize(("read_only", "access"), [(False, "rw"), (True, "ro")])
def test_files_of_the_network_are_read_only_with_the_root(read_only: bool, access: str) -> None:
    spec = build(replace(PLAIN, host_config={"ReadonlyRootfs": read_only}))

    files = [m["options"] for m in spec["mounts"] if m["destination"].startswith("/etc/")]
    assert files == [["rbind", "rprivate", access]] * 3


def test_privileged_gets_what_the_host_has_and_nothing_is_masked() -> None:
    spec = build(replace(PLAIN, host_config={"Privileged": True}))

    assert spec["process"]["capabilities"]["bounding"] == ["CAP_CHOWN", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"]
    assert spec["linux"]["maskedPaths"] == spec["linux"]["readonlyPaths"] == []
    assert spec["linux"]["resources"]["devices"] == [{"allow": True, "access": "rwm"}]


def test_limits_are_in_the_specifications_units() -> None:
    host = {"Memory": 64 << 20, "MemorySwap": 128 << 20, "NanoCpus": 1_500_000_000, "PidsLimit": 50, "CpuShares": 512}
    resources = build(replace(PLAIN, host_config=host))["linux"]["resources"]
    del resources["devices"]

    assert resources == {
        "memory": {"limit": 67108864, "swap": 134217728},
        "cpu": {"shares": 512, "period": 100000, "quota": 150000},
        "pids": {"limit": 50},
    }


def test_names_of_users_are_left_to_the_runtime_inside_the_root() -> None:
    spec = build(replace(PLAIN, config={"User": "www:1000"}, host_config={"GroupAdd": ["tape"]}))

    assert spec["process"]["user"] == {"uid": 0, "gid": 1000, "username": "www:1000", "groupnames": ["tape"]}
