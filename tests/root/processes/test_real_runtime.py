from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.root.shim.harness import BOTH

from wharf.kernel.cgroup.group import open_cgroup
from wharf.lib.stdcopy import STDOUT, frame
from wharf.processes.processes import Processes, ProcessFailed
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import SpawnRequest
from wharf.storage.layout import RunRoot

pytestmark = pytest.mark.root

_GROUPS = f"/wharf-test/r{os.getpid()}"


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
