"""Nothing is accepted and ignored: fields of HostConfig that are seen to do something, or refused.

Where each field of each request is seen, data/engine_api_inputs.tsv says.
"""

from __future__ import annotations

import glob
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tests.root.engine.test_lifecycle import exec_output

import wharf
from wharf.errors import InvalidArgument, NotFound, NotImplementedHere
from wharf.kernel.cgroup.hierarchy import read_hierarchies

pytestmark = pytest.mark.root

OnEngine = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]
_DISK = next(iter(sorted(glob.glob("/dev/vd?") + glob.glob("/dev/sd?") + glob.glob("/dev/loop0"))), "")
_UNIFIED = not read_hierarchies().v1


def limit(v1: str, v2: str) -> str:
    return f"cat /sys/fs/cgroup/{v2}" if _UNIFIED else f"cat /sys/fs/cgroup/{v1}"


# field: (value, what the container runs, what it must say); for HostConfig
SEEN: dict[str, tuple[object, str, str]] = {
    "Binds": (["/usr/share:/b:ro"], "touch /b/x 2>&1", "Read-only"),
    "CapAdd": (["SYS_TIME"], "grep CapEff /proc/1/status", "a"),
    "CapDrop": (["ALL"], "grep CapEff /proc/1/status", "0000000000000000"),
    "CgroupnsMode": ("private", "cat /proc/1/cgroup", ":/\n"),
    "CpuPeriod": (50000, limit("cpu/cpu.cfs_period_us", "cpu.max"), "50000"),
    "CpuQuota": (20000, limit("cpu/cpu.cfs_quota_us", "cpu.max"), "20000"),
    "CpuShares": (512, limit("cpu/cpu.shares", "cpu.weight"), ""),
    "CpusetCpus": ("0", limit("cpuset/cpuset.cpus", "cpuset.cpus"), "0\n"),
    "CpusetMems": ("0", limit("cpuset/cpuset.mems", "cpuset.mems"), "0\n"),
    "DeviceCgroupRules": (["c 10:200 rwm"], "mknod /t c 10 200 && (: < /t) 2>&1; echo $?", ""),
    "Devices": (
        [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/mine", "CgroupPermissions": "rwm"}],
        "ls /dev/mine",
        "/dev/mine",
    ),
    "Dns": (["192.0.2.1"], "cat /etc/resolv.conf", "192.0.2.1"),
    "DnsOptions": (["ndots:7"], "cat /etc/resolv.conf", "ndots:7"),
    "DnsSearch": (["example.test"], "cat /etc/resolv.conf", "search example.test"),
    "ExtraHosts": (["other:192.0.2.9"], "cat /etc/hosts", "192.0.2.9\tother"),
    "GroupAdd": (["777"], "id -G", "777"),
    "Init": (True, "cat /proc/1/comm", "docker-init"),
    "IpcMode": ("host", "readlink /proc/self/ns/ipc", "ipc:"),
    "MaskedPaths": (["/etc/passwd"], "cat /etc/passwd | wc -c", "0\n"),
    "Memory": (64 << 20, limit("memory/memory.limit_in_bytes", "memory.max"), str(64 << 20)),
    "MemoryReservation": (32 << 20, limit("memory/memory.soft_limit_in_bytes", "memory.low"), str(32 << 20)),
    "Mounts": ([{"Type": "tmpfs", "Target": "/m"}], "grep ' /m ' /proc/mounts", "tmpfs /m"),
    "NanoCpus": (500_000_000, limit("cpu/cpu.cfs_quota_us", "cpu.max"), "50000"),
    "NetworkMode": ("bridge", "ls /sys/class/net", "eth0"),
    "OomScoreAdj": (500, "cat /proc/1/oom_score_adj", "500"),
    "PidMode": ("host", "test -d /proc/2 && cat /proc/2/comm", "kthreadd"),
    "PidsLimit": (77, limit("pids/pids.max", "pids.max"), "77"),
    "Privileged": (True, "test -w /proc/sys/kernel/hostname && echo writable", "writable"),
    "ReadonlyPaths": (["/tmp"], "touch /tmp/x 2>&1", "Read-only"),
    "ReadonlyRootfs": (True, "touch /x 2>&1", "Read-only"),
    "SecurityOpt": (["no-new-privileges"], "grep NoNewPrivs /proc/1/status", "NoNewPrivs:\t1"),
    "ShmSize": (1 << 20, "df -k /dev/shm", " 1024 "),
    "Sysctls": ({"net.ipv4.ip_default_ttl": "33"}, "cat /proc/sys/net/ipv4/ip_default_ttl", "33"),
    "Tmpfs": ({"/run": "size=1m"}, "grep ' /run ' /proc/mounts", "size=1024k"),
    "UTSMode": ("host", "readlink /proc/self/ns/uts", "uts:"),
    "Ulimits": ([{"Name": "nofile", "Soft": 55, "Hard": 66}], "ulimit -n", "55"),
    "UsernsMode": ("host", "cat /proc/self/uid_map", "4294967295"),
}
if not _UNIFIED:
    SEEN |= {
        "MemorySwappiness": (10, "cat /sys/fs/cgroup/memory/memory.swappiness", "10"),
        "OomKillDisable": (True, "cat /sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 1"),
    }
if _DISK:
    for _field, _file in (
        ("BlkioDeviceReadBps", "read_bps"), ("BlkioDeviceReadIOps", "read_iops"),
        ("BlkioDeviceWriteBps", "write_bps"), ("BlkioDeviceWriteIOps", "write_iops"),
    ):  # fmt: skip
        _probe = limit(f"blkio/blkio.throttle.{_file}_device", "io.max")
        SEEN[_field] = ([{"Path": _DISK, "Rate": 1048576}], _probe, "1048576")

# field: (value, what refuses it)
REFUSED: dict[str, tuple[object, type[Exception]]] = {
    "Cgroup": ("container:x", NotImplementedHere),
    "CpuCount": (1, NotImplementedHere),
    "CpuPercent": (1, NotImplementedHere),
    "IOMaximumBandwidth": (1, InvalidArgument),
    "IOMaximumIOps": (1, InvalidArgument),
    "Isolation": ("hyperv", InvalidArgument),
    "Runtime": ("nobodys", InvalidArgument),
    "StorageOpt": ({"colour": "red"}, InvalidArgument),
    "DeviceRequests": ([{"Driver": "nobodys", "Count": 1, "Capabilities": [["gpu"]]}], Exception),
    "VolumesFrom": (["nobody"], Exception),
    "VolumeDriver": ("nobodys", NotFound),
    "Links": (["nobody:x"], InvalidArgument),
}
NOT_HERE = {
    # what this machine cannot show
    *(() if _DISK else ("BlkioDeviceReadBps", "BlkioDeviceReadIOps", "BlkioDeviceWriteBps", "BlkioDeviceWriteIOps")),
    *(("MemorySwappiness", "OomKillDisable") if _UNIFIED else ()),  # test_limits.py: a warning
}
_INNER = (
    "PathOnHost",
    "PathInContainer",
    "CgroupPermissions",
    "Path",
    "Rate",
    "Count",
    "Driver",
    "Capabilities",
    "Ulimits.",
)
_ACCOUNT = Path(__file__).parents[3] / "data/engine_api_inputs.tsv"


def test_every_field_that_is_said_to_be_seen_here_is() -> None:
    rows = [line.split("\t") for line in _ACCOUNT.read_text().splitlines()]
    said = {row[0].partition(".")[2] for row in rows if row[2].endswith("/test_effects.py")}
    own = {name for name in said if not name.startswith(("HostConfig", *_INNER))}

    assert own - SEEN.keys() - REFUSED.keys() - NOT_HERE == set()


def test_every_field_does_what_it_says(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        wrong = {}
        for field, (value, script, expected) in SEEN.items():
            host: Any = {"NetworkMode": "none", field: value}
            name = f"f-{field.lower()}"
            await engine.containers.create(
                {"Image": "busybox", "Cmd": ["sh", "-c", script], "HostConfig": host}, name=name
            )
            ended = await engine.containers.wait(name, condition="next-exit")
            await engine.containers.start(name)
            await ended
            said = ""
            async for chunk in await engine.containers.logs(name):
                said += chunk[8:].decode(errors="replace")
            await engine.containers.remove(name, force=True)
            if expected not in said:
                wrong[field] = said
        assert wrong == {}

    on_engine(body)


@pytest.mark.parametrize("field", REFUSED)
def test_what_cannot_be_is_refused(on_engine: OnEngine, field: str) -> None:
    async def body(engine: wharf.Engine) -> None:
        value, kind = REFUSED[field]
        host: Any = {"NetworkMode": "bridge", field: value}
        if field == "VolumeDriver":
            host["Binds"] = ["named:/v"]
        with pytest.raises(kind):
            await engine.containers.create({"Image": "busybox", "Cmd": ["true"], "HostConfig": host}, name="refused")

    on_engine(body)


@pytest.mark.skipif(not _DISK, reason="the machine has no disk whose throughput could be limited")
def test_an_update_changes_and_lifts_the_throughput_of_devices(on_engine: OnEngine) -> None:
    async def body(engine: wharf.Engine) -> None:
        read = SEEN["BlkioDeviceReadBps"][1]
        host = {"NetworkMode": "none", "BlkioDeviceReadBps": [{"Path": _DISK, "Rate": 1048576}]}
        request = {"Image": "busybox", "Cmd": ["sleep", "60"], "HostConfig": host}
        await engine.containers.create(request, name="slow")  # type: ignore[arg-type]
        await engine.containers.start("slow")
        seen = []
        for rates in ([{"Path": _DISK, "Rate": 2097152}], [], [{"Path": _DISK, "Rate": 3145728}]):
            await engine.containers.update("slow", {"BlkioDeviceReadBps": rates})  # type: ignore[typeddict-item]
            seen.append((await exec_output(engine, "slow", "sh", "-c", read))[0].decode())
        await engine.containers.update("slow", {"CpuShares": 512})

        assert ("2097152" in seen[0], "097152" in seen[1], "3145728" in seen[2]) == (True, False, True)
        assert ((await engine.containers.inspect("slow"))["HostConfig"] or {})["BlkioDeviceReadBps"] == [
            {"Path": _DISK, "Rate": 3145728}
        ]

    on_engine(body)
