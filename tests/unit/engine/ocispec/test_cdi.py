from __future__ import annotations

import pytest

from wharf.engine.ocispec import cdi
from wharf.engine.ocispec.cdi import CdiSpec
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import DeviceRequest
from wharf.spec.oci_runtime import Spec

SPEC: CdiSpec = {
    "cdiVersion": "0.6.0",
    "kind": "v.com/c",
    "containerEdits": {"env": ["COMMON=1"]},
    "devices": [
        {
            "name": "x",
            "containerEdits": {
                "env": ["X=1"],
                "deviceNodes": [{"path": "/dev/x", "type": "c", "major": 1, "minor": 3, "permissions": "r"}],
                "mounts": [{"hostPath": "/lib/x", "containerPath": "/lib/x"}],
                "hooks": [{"hookName": "createContainer", "path": "/bin/hook", "args": ["hook"]}],
                "additionalGids": [0, 44],
            },
        },
        {"name": "y", "containerEdits": {"env": ["Y=1"]}},
        {"name": "net", "containerEdits": {"netDevices": [{"hostInterfaceName": "eth1", "name": "fast0"}]}},
        {"name": "cache", "containerEdits": {"intelRdt": {"closID": "c"}}},
    ],
}
PLAIN: Spec = {
    "process": {"env": ["A=b"], "user": {"uid": 0, "gid": 0}},
    "mounts": [],
    "linux": {"resources": {"devices": []}, "devices": []},
}


def test_edits_of_two_devices_have_the_vendors_common_ones_once() -> None:
    edits = cdi.select([SPEC], ["v.com/c=x", "v.com/c=y"])

    assert [edit.get("env") for edit in edits] == [["COMMON=1"], ["X=1"], ["Y=1"]]


def test_edits_are_made() -> None:
    made = cdi.apply(PLAIN, cdi.select([SPEC], ["v.com/c=x"]))

    assert made["process"]["env"] == ["A=b", "COMMON=1", "X=1"]
    assert made["process"]["user"]["additionalGids"] == [44]
    assert made["linux"]["resources"]["devices"] == [
        {"allow": True, "type": "c", "major": 1, "minor": 3, "access": "r"}
    ]
    assert [device["path"] for device in made["linux"]["devices"]] == ["/dev/x"]
    assert made["mounts"] == [
        {"destination": "/lib/x", "source": "/lib/x", "type": "bind", "options": ["ro", "nosuid", "nodev", "bind"]}
    ]
    assert made["hooks"] == {"createContainer": [{"path": "/bin/hook", "args": ["hook"]}]}
    assert PLAIN["process"]["env"] == ["A=b"]


def test_a_network_device_goes_by_its_name_inside() -> None:
    made = cdi.apply(PLAIN, cdi.select([SPEC], ["v.com/c=net"]))

    assert made["linux"]["netDevices"] == {"eth1": {"name": "fast0"}}
    assert "netDevices" not in PLAIN["linux"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("v.com/c=z", "unresolvable CDI devices v.com/c=z"),
        ("w.com/c=x", "unresolvable CDI devices w.com/c=x"),
        ("v.com/c=cache", "intelRdt is not supported here"),
    ],
)
def test_what_nobody_describes_or_cannot_be_done_is_named(name: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        cdi.select([SPEC], [name])


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ({"Driver": "cdi", "DeviceIDs": ["v.com/c=x"]}, ["v.com/c=x"]),
        ({"Count": -1, "Capabilities": [["gpu"]]}, ["nvidia.com/gpu=all"]),
        ({"Count": 2, "Capabilities": [["gpu"]]}, ["nvidia.com/gpu=0", "nvidia.com/gpu=1"]),
        ({"DeviceIDs": ["3"], "Capabilities": [["gpu"]]}, ["nvidia.com/gpu=3"]),
    ],
)
def test_what_requests_ask_for(request_: DeviceRequest, names: list[str]) -> None:
    cdi.check([request_])

    assert cdi.names([request_]) == names


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"Driver": "odd"}, r'could not select device driver "odd" with capabilities: \[\]'),
        ({"Capabilities": [["tpu", "x"]]}, r"with capabilities: \[\[tpu x\]\]"),
        ({"Driver": "cdi", "DeviceIDs": ["x"]}, "unqualified device 'x'"),
        ({"Driver": "cdi", "Options": {"a": "b"}}, "takes no options"),
    ],
)
def test_requests_that_no_driver_serves(request_: DeviceRequest, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        cdi.check([request_])
