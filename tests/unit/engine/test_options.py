from __future__ import annotations

from wharf.engine.options import ContainerDefaults
from wharf.spec.engine_api.container import HostConfig


def test_nothing_is_filled_in_by_default() -> None:
    host: HostConfig = {"Memory": 5}

    assert ContainerDefaults().fill(host) is host


def test_defaults_fill_what_a_request_leaves_open() -> None:
    defaults = ContainerDefaults(
        log_driver="none",
        shm_size_bytes=4096,
        ulimits=({"Name": "nofile", "Soft": 1, "Hard": 1}, {"Name": "nproc", "Soft": 2, "Hard": 2}),
        no_new_privileges=True,
        init=True,
        seccomp_profile="unconfined",
        dns=("192.0.2.1",),
    )

    assert defaults.fill({"Ulimits": [{"Name": "nofile", "Soft": 9, "Hard": 9}]}) == {
        "LogConfig": {"Type": "none", "Config": {}},
        "Init": True,
        "ShmSize": 4096,
        "Ulimits": [{"Name": "nofile", "Soft": 9, "Hard": 9}, {"Name": "nproc", "Soft": 2, "Hard": 2}],
        "SecurityOpt": ["no-new-privileges", "seccomp=unconfined"],
        "Dns": ["192.0.2.1"],
    }


def test_a_privileged_container_sees_the_hosts_control_groups_on_v1_whatever_the_default() -> None:
    defaults = ContainerDefaults(cgroupns_mode="private")

    assert defaults.fill({"Privileged": True}, cgroup2=False).get("CgroupnsMode") is None
    assert defaults.fill({"Privileged": True}, cgroup2=True)["CgroupnsMode"] == "private"
    assert defaults.fill({"Memory": 5}, cgroup2=False)["CgroupnsMode"] == "private"


def test_what_a_request_says_stays() -> None:
    defaults = ContainerDefaults(log_driver="none", seccomp_profile="unconfined", no_new_privileges=True, init=True)
    asked: HostConfig = {
        "Init": False,
        "LogConfig": {"Type": "json-file", "Config": {}},
        "SecurityOpt": ["seccomp:/p", "no-new-privileges=false"],
    }

    assert defaults.fill(asked) == asked
