"""Containers on cgroup v2 alone: in the machine of ``make vm``; hosts with v1 controllers leave these out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

import wharf
from wharf.kernel.cgroup.hierarchy import read_hierarchies
from wharf.spec.engine_api.container import HostConfig

On = Callable[[Callable[[wharf.Engine], Awaitable[None]]], None]

pytestmark = pytest.mark.skipif(bool(read_hierarchies().v1), reason="this machine has v1 controllers")
_MIB = 1 << 20


async def _start(engine: wharf.Engine, name: str, *command: str, **host: object) -> Path:
    """Start a container and return the folder of its group."""
    made = await engine.containers.create(
        {"Image": "busybox", "Cmd": [*command], "HostConfig": HostConfig(NetworkMode="none", **host)},  # type: ignore[typeddict-item]
        name=name,
    )
    await engine.containers.start(name)
    return _group(made["Id"] or "")


def _group(container_id: str) -> Path:
    (group,) = Path("/sys/fs/cgroup/wharf").glob(f"*/{container_id}")
    return group


async def _output(engine: wharf.Engine, *command: str, **host: object) -> str:
    done = await engine.run("busybox", command, host_config=HostConfig(**host))  # type: ignore[typeddict-item]
    return (done.stdout + done.stderr).decode()


def _read(group: Path, *names: str) -> list[str]:
    return [(group / name).read_text().strip() for name in names]


def test_limits_arrive_in_the_files_of_v2(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        group = await _start(
            engine, "limited", "sleep", "1000", Memory=64 * _MIB, MemorySwap=96 * _MIB, MemoryReservation=32 * _MIB,
            NanoCpus=500_000_000, CpuShares=512, CpusetCpus="0", PidsLimit=10,
        )  # fmt: skip

        names = ("memory.max", "memory.swap.max", "memory.low", "cpu.max", "cpu.weight", "cpuset.cpus", "pids.max")
        assert dict(zip(names, _read(group, *names), strict=True)) == {
            "memory.max": str(64 * _MIB),
            "memory.swap.max": str(32 * _MIB),
            "memory.low": str(32 * _MIB),
            "cpu.max": "50000 100000",
            "cpu.weight": "59",
            "cpuset.cpus": "0",
            "pids.max": "10",
        }

    on_engine(body)


def test_who_wants_too_much_memory_is_killed_and_it_is_told(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _start(
            engine, "greedy", "sh", "-c", "head -c 100m /dev/zero | tail", Memory=16 * _MIB, MemorySwap=16 * _MIB
        )
        await (await engine.containers.wait("greedy"))
        state = (await engine.containers.inspect("greedy"))["State"] or {}

        assert (state["OOMKilled"], state["ExitCode"]) == (True, 137)

    on_engine(body)


def test_no_more_processes_than_allowed_are_made(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        script = "for i in 1 2 3 4 5 6 7 8; do sleep 5 & done; wait"

        assert "can't fork" in await _output(engine, "sh", "-c", script, PidsLimit=4)

    on_engine(body)


def test_a_quota_of_the_cpu_throttles(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        # Half a processor: what an emulated one has of a busy host must suffice to start with.
        group = await _start(engine, "slow", "sh", "-c", "while :; do :; done", NanoCpus=500_000_000)
        sample = await anext(engine.containers.stats("slow", one_shot=True))
        while not (sample["cpu_stats"] or {})["throttling_data"]["throttled_periods"]:  # type: ignore[index]
            sample = await anext(engine.containers.stats("slow", one_shot=True))

        assert _read(group, "cpu.max") == ["50000 100000"]

    on_engine(body)


def test_devices_that_are_not_given_cannot_be_opened(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        number = os.stat("/dev/cpu_dma_latency").st_rdev  # one that no container has, and every root may open
        script = f"mknod /k c {os.major(number)} {os.minor(number)}; head -c1 /k | wc -c"
        given = [{"PathOnHost": "/dev/cpu_dma_latency", "PathInContainer": "/k", "CgroupPermissions": "r"}]

        assert "Operation not permitted" in await _output(engine, "sh", "-c", script)
        assert await _output(engine, "sh", "-c", "head -c1 /dev/zero | wc -c") == "1\n"
        assert await _output(engine, "sh", "-c", "head -c1 /k | wc -c", Devices=given) == "1\n"
        assert "not permitted" in await _output(engine, "sh", "-c", "echo > /k", Devices=given)
        assert await _output(engine, "sh", "-c", script, Privileged=True) == "1\n"

    on_engine(body)


def test_limits_change_while_a_container_runs(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        group = await _start(engine, "changing", "sleep", "1000", Memory=64 * _MIB)
        await engine.containers.update("changing", {"Memory": 32 * _MIB, "MemorySwap": 32 * _MIB, "PidsLimit": 7})

        assert _read(group, "memory.max", "memory.swap.max", "pids.max") == [str(32 * _MIB), "0", "7"]

    on_engine(body)


def test_a_paused_container_stands_still(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        group = await _start(engine, "still", "sleep", "1000")
        await engine.containers.pause("still")

        assert "frozen 1" in _read(group, "cgroup.events")[0]
        await engine.containers.unpause("still")
        assert "frozen 0" in _read(group, "cgroup.events")[0]
        await engine.containers.pause("still")
        await engine.containers.remove("still", force=True)
        assert not group.exists()

    on_engine(body)


def test_use_is_measured(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        await _start(engine, "busy", "sh", "-c", "dd if=/dev/zero of=/dev/null bs=1M count=50; sleep 1000")
        sample = await anext(engine.containers.stats("busy", one_shot=True))
        while not (sample["cpu_stats"] or {})["cpu_usage"]["total_usage"]:  # type: ignore[index]
            sample = await anext(engine.containers.stats("busy", one_shot=True))

        assert (sample["memory_stats"] or {})["usage"] > 0
        assert (sample["pids_stats"] or {})["current"] >= 1

    on_engine(body)


def test_a_container_sees_its_own_group_as_the_root(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        shown = await _output(engine, "sh", "-c", "cat /proc/self/cgroup /sys/fs/cgroup/pids.max", PidsLimit=9)

        assert shown == "0::/\n9\n"

    on_engine(body)


def test_info_tells_what_can_be_limited(on_engine: On) -> None:
    async def body(engine: wharf.Engine) -> None:
        info = await engine.system.info()

        assert (info["CgroupVersion"], info["MemoryLimit"], info["PidsLimit"], info["CPUSet"]) == (
            "2",
            True,
            True,
            True,
        )
        assert info["Warnings"] == []

    on_engine(body)


def _runtime(state: Path, *words: str, code: int = 0) -> str:
    script = Path(__file__).parents[3] / "scripts/wharf-runtime"
    output = state.with_name("output")  # a file: a pipe would last as long as the container, which has it too
    with output.open("w") as out:
        done = subprocess.run([sys.executable, script, "--root", state, *words], stdout=out, stderr=out, check=False)
    assert done.returncode == code, output.read_text()
    return output.read_text()


def test_the_runtime_sets_files_by_name_and_tells_pressure(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    (bundle / "rootfs/bin").mkdir(parents=True)
    subprocess.run(["cp", "/bin/busybox", bundle / "rootfs/bin/busybox"], check=True)
    spec = {
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": {"cwd": "/", "args": ["/bin/busybox", "sleep", "1000"], "user": {"uid": 0, "gid": 0}},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {
            "namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "cgroup"}],
            "cgroupsPath": "/wharf-test-v2/c",
            "resources": {
                "unified": {"memory.high": "33554432", "memory.oom.group": "1", "io.weight": "default 200"},
                "cpu": {"quota": 20000, "period": 100000, "burst": 10000, "idle": 1},
                "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}],
                "devices": [{"allow": False}],
            },
        },
    }
    (bundle / "config.json").write_text(json.dumps(spec))
    state = tmp_path / "state"
    _runtime(state, "create", "--bundle", str(bundle), "--pid-file", str(tmp_path / "pid"), "c")
    try:
        _runtime(state, "start", "c")
        group = Path("/sys/fs/cgroup/wharf-test-v2/c")
        names = (
            "memory.high",
            "memory.oom.group",
            "io.weight",
            "cpu.max",
            "cpu.max.burst",
            "cpu.idle",
            "hugetlb.2MB.max",
            "hugetlb.2MB.rsvd.max",
        )
        assert _read(group, *names) == [
            "33554432", "1", "default 200", "20000 100000", "10000", "1", "4194304", "4194304",
        ]  # fmt: skip
        data = json.loads(_runtime(state, "events", "--stats", "c"))["data"]
        told = [sorted(data[kind]["psi"]["some"]) for kind in ("cpu", "memory", "blkio")]
        assert told == [["avg10", "avg300", "avg60", "total"]] * 3
        assert os.sched_getaffinity(0) <= set(data["cpuset"]["cpus"])
        assert (data["hugetlb"]["2MB"]["usage"], data["memory"]["swap"]["usage"] > 0) == (0, True)
        _runtime(state, "pause", "c")
        assert json.loads(_runtime(state, "state", "c"))["status"] == "paused"
        _runtime(state, "resume", "c")
    finally:
        _runtime(state, "delete", "--force", "c")
    assert not group.exists()
    group.parent.rmdir()
