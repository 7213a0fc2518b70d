from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.create.limits import resources, restart_policy


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("{image: x}", {}),
        (
            (
                "{image: x, cpus: 0.5, mem_limit: 1m, mem_reservation: 512k, memswap_limit: -1, pids_limit: 9,"
                " mem_swappiness: 7}"
            ),
            {
                "NanoCpus": 500000000,
                "Memory": 1 << 20,
                "MemoryReservation": 512 << 10,
                "MemorySwap": -1,
                "PidsLimit": 9,
                "MemorySwappiness": 7,
            },
        ),
        (
            "{image: x, deploy: {resources: {limits: {cpus: 1.5, memory: 2m, pids: 3}, reservations: {memory: 1m}}}}",
            {"NanoCpus": 1500000000, "Memory": 2 << 20, "MemoryReservation": 1 << 20, "PidsLimit": 3},
        ),
        (
            "{image: x, cpu_period: 50000, cpu_quota: 25000, cpu_shares: 2, cpuset: 0-1, cpu_rt_runtime: 1ms}",
            {
                "CpuPeriod": 50000,
                "CpuQuota": 25000,
                "CpuShares": 2,
                "CpusetCpus": "0-1",
                "CpuRealtimeRuntime": 1000,
            },
        ),
        (
            "{image: x, ulimits: {nofile: {soft: 1, hard: 2}, core: 0}, oom_kill_disable: true, cgroup_parent: p}",
            {
                "Ulimits": [{"Name": "core", "Soft": 0, "Hard": 0}, {"Name": "nofile", "Soft": 1, "Hard": 2}],
                "OomKillDisable": True,
                "CgroupParent": "p",
            },
        ),
        (
            "{image: x, devices: ['/dev/x:/dev/y:r', 'vendor.com/gpu=0'], device_cgroup_rules: ['c 1:3 r']}",
            {
                "Devices": [{"PathOnHost": "/dev/x", "PathInContainer": "/dev/y", "CgroupPermissions": "r"}],
                "DeviceRequests": [{"Driver": "cdi", "DeviceIDs": ["vendor.com/gpu=0"]}],
                "DeviceCgroupRules": ["c 1:3 r"],
            },
        ),
        ("{image: x, gpus: all}", {"DeviceRequests": [{"Count": -1, "Capabilities": [["gpu"]]}]}),
        (
            "{image: x, gpus: [{driver: n, device_ids: [a], options: {k: v}}]}",
            {
                "DeviceRequests": [
                    {"Driver": "n", "DeviceIDs": ["a"], "Capabilities": [["gpu"]], "Options": {"k": "v"}}
                ]
            },
        ),
        (
            "{image: x, deploy: {resources: {reservations: {devices: [{capabilities: [tpu], count: 2}]}}}}",
            {"DeviceRequests": [{"Count": 2, "Capabilities": [["tpu"]]}]},
        ),
        (
            (
                "{image: x, blkio_config: {weight: '300', weight_device: [{path: /d, weight: 5}],"
                " device_read_bps: [{path: /d, rate: 1m}], device_write_iops: [{path: /d, rate: 7}]}}"
            ),
            {
                "BlkioWeight": 300,
                "BlkioWeightDevice": [{"Path": "/d", "Weight": 5}],
                "BlkioDeviceReadBps": [{"Path": "/d", "Rate": 1 << 20}],
                "BlkioDeviceWriteIOps": [{"Path": "/d", "Rate": 7}],
            },
        ),
    ],
)
def test_limits_of_a_service(service: str, found: dict[str, object]) -> None:
    assert resources(project(f"services: {{a: {service}}}").services["a"]) == found


@pytest.mark.parametrize(
    ("service", "found"),
    [
        ("{image: x}", {}),
        ("{image: x, restart: 'on-failure:3'}", {"Name": "on-failure", "MaximumRetryCount": 3}),
        ("{image: x, restart: 'no'}", {"Name": "no", "MaximumRetryCount": 0}),
        ("{image: x, restart: always}", {"Name": "always", "MaximumRetryCount": 0}),
        (
            "{image: x, deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}}",
            {"Name": "on-failure", "MaximumRetryCount": 2},
        ),
        ("{image: x, deploy: {restart_policy: {condition: none}}}", {"Name": "no", "MaximumRetryCount": 0}),
        ("{image: x, deploy: {restart_policy: {max_attempts: 2}}}", {"Name": "always", "MaximumRetryCount": 0}),
    ],
)
def test_restart_policy_is_the_services_own_or_that_of_deploy(service: str, found: dict[str, object]) -> None:
    assert restart_policy(project(f"services: {{a: {service}}}").services["a"]) == found
