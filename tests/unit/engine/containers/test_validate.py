from __future__ import annotations

import pytest

from wharf.engine.containers import validate
from wharf.errors import InvalidArgument, NotImplementedHere
from wharf.spec.engine_api.container import ContainerConfig, HealthConfig, HostConfig


@pytest.mark.parametrize(
    ("host", "text"),
    [
        ({"Memory": 1024}, "Minimum memory limit allowed is 6MB"),
        ({"Memory": -1}, "Minimum memory limit allowed is 6MB"),
        (
            {"Memory": 64 << 20, "MemorySwap": 32 << 20},
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ),
        (
            {"MemorySwap": 64 << 20},
            "You should always set the Memory limit when using Memoryswap limit, see usage",
        ),
        ({"MemorySwappiness": 101}, "Invalid value: 101, valid memory swappiness range is 0-100"),
        (
            {"NanoCpus": 10**9, "CpuQuota": 50_000},
            "Conflicting options: Nano CPUs and CPU Period/Quota cannot both be set",
        ),
        (
            {"CpuPeriod": 10},
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ),
        ({"BlkioWeight": 5}, "Range of blkio weight is from 10 to 1000"),
        (
            {"AutoRemove": True, "RestartPolicy": {"Name": "always"}},
            "can't create 'AutoRemove' container with restart policy",
        ),
        (
            {"RestartPolicy": {"Name": "always", "MaximumRetryCount": 2}},
            "invalid restart policy: maximum retry count can only be used with 'on-failure'",
        ),
        ({"SecurityOpt": ["no-new-privileges:x"]}, 'invalid --security-opt 2: "no-new-privileges:x"'),
        ({"ShmSize": -1}, "SHM size can not be less than 0"),
        ({"PidMode": "cube"}, "invalid PID mode: cube"),
        ({"Annotations": {"": "a"}}, "invalid Annotations: the empty string is not permitted as an annotation key"),
        ({"Tmpfs": {"//": ""}}, "invalid specification: destination can't be '/'"),
        ({"SecurityOpt": ["writable-cgroups=x"]}, 'invalid --security-opt 2: "writable-cgroups=x"'),
        ({"IpcMode": "cube"}, "invalid IPC mode: cube"),
        ({"CgroupnsMode": "cube"}, "invalid cgroup namespace mode: cube"),
        ({"Isolation": "cube"}, "invalid isolation (cube): linux only supports 'default'"),
        (
            {"IOMaximumIOps": 1},
            "invalid option: QoS maximum IOPs configuration is not supported on linux",
        ),
        (
            {"RestartPolicy": {"Name": "always", "MaximumRetryCount": -1}},
            "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative",
        ),
        ({"LogConfig": {"Type": "local", "Config": {"x": "y"}}}, "unknown log opt 'x' for log driver local"),
        ({"PortBindings": {"x/tcp": None}}, 'invalid port specification: "x"'),
        ({"PortBindings": {"80/tcp": [{"HostPort": "x"}]}}, 'invalid port specification: "x"'),
        ({"SecurityOpt": ["magic"]}, 'invalid --security-opt 1: "magic"'),
        ({"SecurityOpt": ["magic=on"]}, 'invalid --security-opt 2: "magic=on"'),
        ({"DeviceCgroupRules": ["q 1:2 rw"]}, "invalid device cgroup rule format: 'q 1:2 rw'"),
        (
            {"LogConfig": {"Type": "json-file", "Config": {"syslog-format": "x"}}},
            "unknown log opt 'syslog-format' for json-file log driver",
        ),
        ({"CapAdd": ["fly"]}, 'invalid CapAdd: unknown capability: "CAP_FLY"'),
        ({"CapDrop": ["CAP_SWIM"]}, 'invalid CapDrop: unknown capability: "CAP_SWIM"'),
    ],
)
def test_a_contradiction_is_refused_in_dockers_words(host: dict[str, object], text: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        validate.host_config(host)

    assert str(refused.value) == text


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"colour": "red"}, "Unknown option colour"),
        ({"size": "0"}, "invalid size: '0'"),
        ({"size": "x"}, "invalid size: 'x'"),
    ],
)
def test_options_of_the_storage_are_checked(asked: dict[str, str], text: str) -> None:
    validate.host_config({"StorageOpt": {"size": "1G"}})
    with pytest.raises(InvalidArgument, match=text):
        validate.host_config({"StorageOpt": asked})


@pytest.mark.parametrize(
    "host",
    [
        {"CpuCount": 1},
    ],
)
def test_an_option_that_is_not_built_yet_is_refused_by_name(host: dict[str, object]) -> None:
    with pytest.raises(NotImplementedHere, match="not supported by this build of wharf"):
        validate.host_config(host)


def test_what_docker_sends_for_a_plain_run_is_accepted() -> None:
    validate.host_config(
        {
            "Binds": None,
            "ContainerIDFile": "",
            "LogConfig": {"Type": "", "Config": {}},
            "NetworkMode": "default",
            "PortBindings": {},
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "AutoRemove": True,
            "MemorySwappiness": -1,
            "CgroupnsMode": "",
            "IpcMode": "",
            "PidMode": "",
            "UTSMode": "",
            "UsernsMode": "",
            "Isolation": "",
            "BlkioWeightDevice": [],
            "OomKillDisable": False,
            "PidsLimit": 0,
        }
    )


@pytest.mark.parametrize("name", ["a", "-web", "we b", "wéb", "/", ""])
def test_a_name_that_docker_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(InvalidArgument, match="Invalid container name"):
        validate.name(name)


def test_the_leading_slash_of_a_name_is_dropped() -> None:
    assert validate.name("/web-1.a_b") == "web-1.a_b"


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ({"Test": ["CMD", "true"], "Interval": 1000}, "Interval in Healthcheck cannot be less than 1ms"),
        ({"Test": ["CMD", "true"], "Retries": -1}, "Retries in Healthcheck cannot be negative"),
        ({"Test": ["RUN", "true"]}, "Unknown healthcheck type 'RUN'"),
    ],
)
def test_a_malformed_health_check_is_refused(check: HealthConfig, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        validate.config({"Healthcheck": check})


def test_restarting_what_is_unhealthy_needs_a_check() -> None:
    with pytest.raises(InvalidArgument, match="needs a health check"):
        validate.merged({"Healthcheck": {"Test": ["NONE"]}}, {"RestartPolicy": {"Name": "unhealthy"}})


@pytest.mark.parametrize(
    ("config", "host", "text"),
    [
        ({"Hostname": "x"}, {"UTSMode": "host"}, "hostname and the UTS mode"),
        ({"Hostname": "x"}, {}, "hostname and the network mode"),
        ({"ExposedPorts": {"80/tcp": {}}}, {}, "port exposing and the container type network mode"),
        ({}, {"Dns": ["192.0.2.1"]}, "dns and the network mode"),
        ({}, {"ExtraHosts": ["a:192.0.2.1"]}, "custom host-to-IP mapping and the network mode"),
        ({}, {"PortBindings": {"80/tcp": [{}]}}, "port publishing and the container type network mode"),
        ({}, {"PublishAllPorts": True}, "port publishing and the container type network mode"),
        ({}, {"Links": ["a:b"]}, "container type network can't be used with links"),
    ],
)
def test_who_shares_a_name_or_a_network_has_none_of_its_own(
    config: ContainerConfig, host: HostConfig, text: str
) -> None:
    mode: HostConfig = {"NetworkMode": "bridge" if host.get("UTSMode") else "container:other"}
    with pytest.raises(InvalidArgument) as refused:
        validate.together(config, {**mode, **host})

    assert str(refused.value) == f"conflicting options: {text}"
    validate.together(config, {**host, "NetworkMode": "bridge", "UTSMode": ""})
