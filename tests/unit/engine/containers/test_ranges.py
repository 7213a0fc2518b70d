from __future__ import annotations

import pytest

from wharf.engine.containers import ranges
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"ShmSize": -1}, "SHM size can not be less than 0"),
        ({"OomScoreAdj": 1001}, r"Invalid value 1001, range for oom score adj is \[-1000, 1000\]"),
        ({"NetworkMode": "container:"}, "invalid container format container:<name|id>"),
        ({"Tmpfs": {"here": ""}}, "invalid mount path: 'here' mount path must be absolute"),
        ({"Tmpfs": {"/": ""}}, "invalid specification: destination can't be '/'"),
        ({"BlkioDeviceReadBps": [{"Path": "/dev/x", "Rate": -1}]}, "invalid rate for /dev/x"),
        ({"ConsoleSize": [-1, 1]}, "invalid console size"),
        ({"ExtraHosts": ["db"]}, 'bad format for add-host: "db"'),
        ({"ExtraHosts": [":1.2.3.4"]}, "bad format"),
        ({"ExtraHosts": ["db:there"]}, 'invalid IP address in add-host: "there"'),
    ],
)
def test_value_that_can_be_nowhere_is_refused(document: HostConfig, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        ranges.check(document)


def test_values_that_can_be_are_taken() -> None:
    hosts = ["a:1.2.3.4", "b:fe80::1", "c:[::1]", "d:host-gateway"]
    ranges.check({"ShmSize": 0, "OomScoreAdj": -1000, "Tmpfs": {"/t": ""}, "ExtraHosts": hosts})
    ranges.check_here({"NanoCpus": 2_000_000_000, "CpusetCpus": "0-1", "CpusetMems": "0"}, {0, 1}, {0})


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"NanoCpus": 2_000_000_001}, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"),
        ({"CpusetCpus": "0,4"}, "Requested CPUs are not available - requested 0,4, available: 0-1"),
        ({"CpusetMems": "1"}, "Requested memory nodes are not available - requested 1, available: 0"),
        ({"CpusetCpus": "x"}, "Invalid value x for cpuset cpus: invalid format: x"),
        ({"CpusetCpus": "2-1"}, "Invalid value 2-1 for cpuset cpus: invalid format: 2-1"),
        ({"CpusetMems": "0-99999999"}, "for cpuset mems: value of out range, maximum is 8192"),
        ({"NanoCpus": -1}, "range of CPUs is from 0.01 to 2.00"),
    ],
)
def test_what_the_machine_has_not_is_refused(document: HostConfig, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        ranges.check_here(document, {0, 1}, {0})


def test_numbers_are_shown_as_they_are_read() -> None:
    assert ranges.ranges(ranges.numbers("7,0-2, 4")) == "0-2,4,7"
