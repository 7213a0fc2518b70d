from __future__ import annotations

import pytest

from wharf.engine.containers.create import command_line, merge, split, with_defaults
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig

IMAGE = {
    "Env": ["PATH=/bin", "A=image"],
    "Entrypoint": ["/entry"],
    "Cmd": ["default"],
    "User": "app",
    "WorkingDir": "/app",
    "Labels": {"a": "image", "b": "image"},
    "ExposedPorts": {"80/tcp": {}},
}


def test_own_values_win_and_the_images_fill_the_rest() -> None:
    merged = merge({"Env": ["A=own", "B=own"], "Labels": {"a": "own"}, "ExposedPorts": {"90/udp": {}}}, IMAGE)

    assert merged["Env"] == ["A=own", "B=own", "PATH=/bin"]
    assert merged["Labels"] == {"a": "own", "b": "image"}
    assert set(merged["ExposedPorts"]) == {"80/tcp", "90/udp"}
    assert (merged["User"], merged["WorkingDir"]) == ("app", "/app")


@pytest.mark.parametrize(
    ("own", "argv"),
    [
        ({}, ["/entry", "default"]),
        ({"Cmd": ["mine"]}, ["/entry", "mine"]),
        ({"Entrypoint": ["/other"]}, ["/other"]),
        ({"Entrypoint": ["/other"], "Cmd": ["x"]}, ["/other", "x"]),
        ({"Entrypoint": [""], "Cmd": ["sh"]}, ["sh"]),
    ],
)
def test_an_entrypoint_of_ones_own_drops_the_images_command(own: dict[str, list[str]], argv: list[str]) -> None:
    assert command_line(merge(own, IMAGE)) == argv


def test_no_command_at_all_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="no command specified"):
        command_line(merge({}, {}))


def test_defaults_are_written_out_for_inspect() -> None:
    host = with_defaults({"Memory": 64 << 20}, cgroup2=False)

    assert host == {
        "Memory": 64 << 20,
        "MemorySwap": 128 << 20,
        "NetworkMode": "bridge",
        "LogConfig": {"Type": "json-file", "Config": {}},
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
        "IpcMode": "private",
        "CgroupnsMode": "host",
        "ShmSize": 64 << 20,
    }


def test_defaults_take_the_place_of_what_a_client_spells_for_nothing() -> None:
    host = with_defaults({"CgroupnsMode": "", "PidsLimit": 0, "MemorySwappiness": -1}, cgroup2=True)

    assert (host["CgroupnsMode"], host["PidsLimit"], host["MemorySwappiness"]) == ("private", None, None)
    assert with_defaults({"Privileged": True}, cgroup2=True)["CgroupnsMode"] == "private"
    assert with_defaults({"Privileged": True}, cgroup2=False)["CgroupnsMode"] == "host"


def test_the_working_directory_is_cleaned_as_docker_shows_it() -> None:
    assert merge({"WorkingDir": "/tmp/../srv/"}, {})["WorkingDir"] == "/srv"
    assert merge({}, {"WorkingDir": "/tmp/"})["WorkingDir"] == "/tmp"
    assert merge({}, {})["WorkingDir"] == ""


def test_twice_a_giant_limit_of_memory_is_still_a_number_of_the_api() -> None:
    assert with_defaults({"Memory": 2**63 - 1}, cgroup2=False)["MemorySwap"] == 2**63 - 1


def test_what_shares_the_hosts_processes_is_told_to_have_no_label() -> None:
    assert with_defaults({"PidMode": "host"}, cgroup2=False)["SecurityOpt"] == ["label=disable"]
    own: HostConfig = {"PidMode": "host", "SecurityOpt": ["no-new-privileges"]}
    assert with_defaults(own, cgroup2=False)["SecurityOpt"] == ["no-new-privileges", "label=disable"]


def test_what_nobody_gave_is_not_made_up() -> None:
    merged = merge({"Env": ["A=1", "A=2"], "WorkingDir": "/a/../b/"}, {})

    assert (merged["Env"], merged["WorkingDir"], merged["Volumes"]) == (["A=1", "A=2"], "/b", None)
    assert merge({}, {})["Env"] is None
    assert merge({"Env": []}, {})["Env"] is None
    assert merge({"Entrypoint": []}, IMAGE)["Entrypoint"] == []
    assert merge({"Entrypoint": []}, IMAGE)["Cmd"] == ["default"]


def test_nulls_of_a_request_are_dropped() -> None:
    request = split({"Image": "x", "Cmd": None, "HostConfig": {"Binds": None, "Memory": 7}, "NetworkingConfig": None})

    assert (request.config, request.host_config, request.networking) == ({"Image": "x"}, {"Memory": 7}, {})
