from __future__ import annotations

import pytest

from wharf.engine.builds.request import limits_of, options_of
from wharf.errors import InvalidArgument


def test_a_request_becomes_options() -> None:
    found = options_of(
        {
            "target": "t",
            "buildargs": {"a": "1", "unset": None},
            "labels": {"l": "2"},
            "networkmode": "bridge",
            "platform": "linux/arm/v7",
            "extrahosts": ["h:1"],
            "ulimits": [{"Name": "nofile", "Soft": 1, "Hard": 2}],
            "nocache": True,
        }
    )

    assert (found.target, found.build_args, found.labels) == ("t", {"a": "1"}, {"l": "2"})
    assert (found.network, str(found.platform), found.no_cache) == ("default", "linux/arm/v7", True)
    assert (found.extra_hosts, found.ulimits) == (("h:1",), (("nofile", 1, 2),))


def test_another_containers_network_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="container:x"):
        options_of({"networkmode": "container:x"})


def test_limits_are_those_of_containers() -> None:
    found = limits_of({"memory": 1, "memswap": 2, "cpushares": 3, "cpuperiod": 4, "cpuquota": 5, "cpusetcpus": "0"})

    assert [found.get(name) for name in ("Memory", "MemorySwap", "CpuShares", "CpuPeriod", "CpuQuota")] == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert (found.get("CpusetCpus"), limits_of({"cpusetmems": "1"})) == ("0", {"CpusetMems": "1"})
