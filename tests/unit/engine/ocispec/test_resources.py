from __future__ import annotations

import pytest

from wharf.engine.ocispec.resources import of_host_config, parse_rule
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import HostConfig


def test_limits_of_block_devices_are_those_of_their_numbers() -> None:
    host: HostConfig = {
        "BlkioWeight": 20,
        "BlkioWeightDevice": [{"Path": "8:16", "Weight": 300}],
        "BlkioDeviceReadBps": [{"Path": "8:0", "Rate": 1}],
        "BlkioDeviceWriteBps": [{"Path": "8:0", "Rate": 2}],
        "BlkioDeviceReadIOps": [{"Path": "8:0", "Rate": 3}],
        "BlkioDeviceWriteIOps": [{"Path": "8:0", "Rate": 4}],
    }

    assert of_host_config(host, [], privileged=True)["blockIO"] == {
        "weight": 20,
        "weightDevice": [{"major": 8, "minor": 16, "weight": 300}],
        "throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1}],
        "throttleWriteBpsDevice": [{"major": 8, "minor": 0, "rate": 2}],
        "throttleReadIOPSDevice": [{"major": 8, "minor": 0, "rate": 3}],
        "throttleWriteIOPSDevice": [{"major": 8, "minor": 0, "rate": 4}],
    }


def test_memory_and_processor_are_taken_over() -> None:
    host: HostConfig = {
        "Memory": 10, "MemorySwap": -1, "MemoryReservation": 5, "MemorySwappiness": 0, "OomKillDisable": True,
        "CpuShares": 3, "NanoCpus": 1_500_000_000, "CpuRealtimePeriod": 1000, "CpuRealtimeRuntime": 100,
        "CpusetCpus": "0", "CpusetMems": "0", "PidsLimit": -1,
    }  # fmt: skip
    found = of_host_config(host, [], privileged=True)

    assert found["memory"] == {
        "limit": 10, "swap": -1, "reservation": 5, "swappiness": 0, "disableOOMKiller": True,
    }  # fmt: skip
    assert found["cpu"] == {
        "shares": 3, "period": 100_000, "quota": 150_000, "cpus": "0", "mems": "0", "realtimePeriod": 1000,
        "realtimeRuntime": 100,
    }  # fmt: skip
    assert found["pids"] == {"limit": -1}


def test_without_limits_there_are_none() -> None:
    assert of_host_config({"MemorySwappiness": -1, "PidsLimit": 0}, [], privileged=True).keys() == {"devices"}


@pytest.mark.parametrize("rule", ["", "c 1:3", "x 1:3 rwm", "c 1 rwm", "c 1:3 z"])
def test_a_malformed_rule_for_devices_is_refused(rule: str) -> None:
    with pytest.raises(InvalidArgument):
        parse_rule(rule)
