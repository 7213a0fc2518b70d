from __future__ import annotations

import json
from typing import Any

import pytest

from wharf.engine.plugins.config import capabilities, defaults, granted, privileges, read_config, require_runnable
from wharf.errors import InvalidArgument, NotImplementedHere

SAMPLE: dict[str, Any] = {
    "description": "keeps volumes",
    "entrypoint": ["/keeper"],
    "network": {"type": "host"},
    "interface": {"types": ["docker.volumedriver/1.0"], "socket": "keeper.sock"},
    "linux": {
        "capabilities": ["CAP_SYS_ADMIN"],
        "devices": [{"name": "fuse", "path": "/dev/fuse", "settable": ["path"]}],
    },
    "propagatedmount": "/data",
    "args": {"name": "words", "settable": ["value"], "value": ["a", "b"]},
    "env": [{"name": "DEBUG", "settable": ["value"], "value": "0"}, {"name": "UNSET"}],
    "mounts": [{"name": "state", "source": "/srv", "destination": "/state", "type": "bind", "options": ["rbind"]}],
}


def sample(**more: object) -> bytes:
    return json.dumps({**SAMPLE, **more}).encode()


def test_a_configuration_is_read_whatever_the_case_of_its_names_and_is_whole() -> None:
    config = read_config(sample())

    assert config["Linux"] == {
        "AllowAllDevices": False,
        "Capabilities": ["CAP_SYS_ADMIN"],
        "Devices": [{"Description": "", "Name": "fuse", "Path": "/dev/fuse", "Settable": ["path"]}],
    }
    assert (config["Documentation"], config["IpcHost"], config["WorkDir"]) == ("", False, "")
    assert config["PropagatedMount"] == "/data"
    assert capabilities(config) == {"volumedriver"}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b'{"env": 1}',
        b"{}",
        sample(interface={"types": [], "socket": "../../etc/passwd"}),
        sample(interface={"types": [], "socket": ""}),
        b"[" * 10_000,
    ],
)
def test_a_malformed_configuration_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidArgument):
        read_config(raw)


def test_defaults_are_what_the_configuration_has() -> None:
    settings = defaults(read_config(sample()))

    assert (settings["Args"], settings["Env"]) == (["a", "b"], ["DEBUG=0"])
    assert [mount.get("Source") for mount in settings["Mounts"]] == ["/srv"]


def test_privileges_are_told_in_dockers_words_and_order() -> None:
    config = read_config(sample(pidhost=True, ipchost=True))

    assert [(one["Name"], one["Value"]) for one in privileges(config)] == [
        ("network", ["host"]),
        ("host ipc namespace", ["true"]),
        ("host pid namespace", ["true"]),
        ("mount", ["/srv"]),
        ("device", ["/dev/fuse"]),
        ("capabilities", ["CAP_SYS_ADMIN"]),
    ]


def test_exactly_what_is_wanted_has_to_be_granted() -> None:
    config = read_config(sample())
    wanted = privileges(config)

    assert granted(config, [*reversed(wanted)])
    assert not granted(config, wanted[1:])
    assert not granted(config, [*wanted, {"Name": "host pid namespace", "Value": ["true"]}])
    assert not granted(config, [])


def test_what_nobody_would_ask_is_not_run() -> None:
    require_runnable(read_config(sample()))
    with pytest.raises(NotImplementedHere, match=r"plugins of the type secretprovider are not supported"):
        require_runnable(read_config(sample(interface={"types": ["docker.secretprovider/1.0"], "socket": "a.sock"})))
    speaks = {"types": ["docker.volumedriver/1.0"], "socket": "a.sock", "protocolscheme": "grpc/v1"}
    with pytest.raises(NotImplementedHere, match=r"plugins that speak grpc/v1 are not supported"):
        require_runnable(read_config(sample(interface=speaks)))
    with pytest.raises(InvalidArgument, match="unknown type 'moon'"):
        require_runnable(read_config(sample(network={"type": "moon"})))
    with pytest.raises(InvalidArgument, match="no entrypoint"):
        require_runnable(read_config(sample(entrypoint=[])))
