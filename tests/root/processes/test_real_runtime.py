from __future__ import annotations

import asyncio
import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.root import groups
from tests.root.shim.harness import BOTH

from wharf.kernel.cgroup.group import open_cgroup
from wharf.lib.stdcopy import STDOUT, frame
from wharf.processes.processes import Processes, ProcessFailed
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import RootfsMount, SpawnRequest
from wharf.storage.layout import RunRoot

pytestmark = pytest.mark.root

_GROUPS = f"{groups.PARENT}/r"


def _overlay(bundle: Path) -> list[RootfsMount]:
    for folder in ("upper", "work"):
        (bundle / folder).mkdir()
    options = [f"lowerdir+={bundle}/rootfs", f"upperdir={bundle}/upper", f"workdir={bundle}/work"]
    return [{"type": "overlay", "source": "overlay", "options": options}]


async def _spawn(processes: Processes, request: SpawnRequest, stream: socket.socket) -> Shim:
    spec = json.loads((Path(request["bundle"]) / "config.json").read_bytes())
    return await processes.spawn(request, spec, [stream])


def _request(folder: Path, name: str, *args: str) -> SpawnRequest:
    bundle = folder / name
    (bundle / "rootfs" / "bin").mkdir(parents=True)
    (bundle / "rootfs" / "proc").mkdir()
    shutil.copy("/bin/busybox", bundle / "rootfs" / "bin" / "busybox")
    capabilities: list[str] = []
    spec: dict[str, Any] = {
        "ociVersion": "1.2.0",
        "root": {"path": "rootfs"},
        "process": {
            "args": list(args),
            "cwd": "/",
            "env": ["PATH=/bin"],
            "user": {"uid": 0, "gid": 0},
            "capabilities": {"bounding": capabilities},
        },
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {
            "cgroupsPath": f"{_GROUPS}/{name}",
            "namespaces": [{"type": t} for t in ("mount", "pid", "uts", "ipc", "network")],
            "resources": {"pids": {"limit": 50}},
        },
    }
    (bundle / "config.json").write_text(json.dumps(spec))
    return {
        "id": name,
        "bundle": str(bundle),
        "cgroup": f"{_GROUPS}/{name}",
        "terminal": False,
        "own_pids": True,
        "rootfs": [],
        "shim_dir": str(RunRoot(folder / "run").shim(name)),
        "seccomp_cache": str(folder / "seccomp"),
        "open_stdin": False,
        "stdin_once": False,
        "log": {"driver": "json-file", "path": str(bundle / "log.json")},
        "attachments": [BOTH],
    }


def test_the_real_runtime_runs_a_container_from_the_zygote(tmp_path: Path) -> None:
    async def test() -> None:
        processes = Processes(RunRoot(tmp_path / "run"))
        ours, theirs = socket.socketpair()
        with ours, theirs:
            shim = await _spawn(processes, _request(tmp_path, "a", "/bin/busybox", "sh", "-c", "echo $$"), theirs)
            assert (await shim.exited)["exit_code"] == 0
            assert ours.recv(100) == frame(STDOUT, b"1\n")
            with pytest.raises(ProcessFailed) as caught:
                await _spawn(processes, _request(tmp_path, "b", "/bin/nothing"), theirs)
            assert caught.value.kind == "not-found"
        await processes.aclose()

    asyncio.run(test())
    assert not open_cgroup(f"{_GROUPS}/a").exists
    open_cgroup(_GROUPS).delete()


def test_what_cannot_be_opened_fails_the_start_in_the_runtimes_words(tmp_path: Path) -> None:
    async def test() -> None:
        request = _request(tmp_path, "c", "/bin/true")
        request["rootfs"] = _overlay(Path(request["bundle"]))
        spec = json.loads((Path(request["bundle"]) / "config.json").read_bytes())
        spec["mounts"].append({"destination": "/d", "type": "bind", "source": "/gone", "options": ["bind"]})
        processes = Processes(RunRoot(tmp_path / "run"))
        ours, theirs = socket.socketpair()
        with ours, theirs, pytest.raises(ProcessFailed, match='error mounting "/gone" to rootfs at "/d": stat /gone'):
            await processes.spawn(request, spec, [theirs])
        await processes.aclose()

    asyncio.run(test())
    assert not open_cgroup(f"{_GROUPS}/c").exists


def test_a_start_that_is_given_up_before_it_began_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        processes = Processes(RunRoot(tmp_path / "run"))
        request = _request(tmp_path, "d", "/bin/true")
        ours, theirs = socket.socketpair()

        async def given_up(*_: object) -> None:
            raise asyncio.CancelledError

        monkeypatch.setattr(Shim, "give_world", given_up)
        with ours, theirs, pytest.raises(asyncio.CancelledError):
            await _spawn(processes, request, theirs)
        await processes.aclose()

    asyncio.run(test())
    assert not list((tmp_path / "run/shims").iterdir())
    assert not open_cgroup(f"{_GROUPS}/d").exists
