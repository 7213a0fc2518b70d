from __future__ import annotations

from wharf.engine.containers.rename import UPDATABLE, lifted
from wharf.spec.engine_api.container import HostConfig


def test_limits_of_devices_that_go_are_named_so_that_the_control_group_forgets_them() -> None:
    before: HostConfig = {
        "BlkioDeviceReadBps": [{"Path": "/dev/a", "Rate": 1}, {"Path": "/dev/b", "Rate": 2}],
        "BlkioWeightDevice": [{"Path": "/dev/a", "Weight": 100}, {"Path": "/dev/b", "Weight": 200}],
    }
    after: HostConfig = {
        "BlkioDeviceReadBps": [{"Path": "/dev/b", "Rate": 3}],
        "BlkioWeightDevice": [{"Path": "/dev/b", "Weight": 300}],
    }

    told = lifted(before, after)

    assert told["BlkioDeviceReadBps"] == [{"Path": "/dev/b", "Rate": 3}, {"Path": "/dev/a", "Rate": 0}]
    assert told["BlkioWeightDevice"] == [{"Path": "/dev/b", "Weight": 300}, {"Path": "/dev/a", "Weight": 0}]
    assert lifted(before, before)["BlkioWeightDevice"] == before["BlkioWeightDevice"]


def test_no_limit_of_processes_is_told_as_such() -> None:
    assert lifted({"PidsLimit": 5}, {"PidsLimit": 0})["PidsLimit"] == -1


def test_what_an_update_can_change() -> None:
    assert {"BlkioWeightDevice", "BlkioDeviceReadBps", "Memory"} <= UPDATABLE
    assert not {"Ulimits", "Devices", "Init"} & UPDATABLE
