"""An engine whose containers are in scopes that systemd itself makes, as in a machine of ``make vm``."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from tests.root.runtime.test_real_systemd import Systemd, pytestmark, systemd
from tests.root.wharfd import until

import wharf
from wharf.engine import scopes
from wharf.engine.options import EngineOptions
from wharf.storage.layout import DataRoot

__all__ = ["pytestmark", "systemd"]

_OPTIONS = EngineOptions(cgroup_driver="systemd")
_LIMIT = 64 << 20
_IDLE: Any = {
    "Image": "busybox", "Cmd": ["sleep", "1000"], "StopTimeout": 0,
    "HostConfig": {"NetworkMode": "none", "CgroupnsMode": "host", "PidsLimit": 9, "Memory": _LIMIT},
}  # fmt: skip


def _read(path: Path) -> str:
    return path.read_text().strip()


def test_a_container_lives_and_ends_in_a_scope_that_keeps_its_limits(systemd: Systemd, root: Path) -> None:
    inner = scopes.slices_of(DataRoot(root).key)[1]
    folder = Path(f"/sys/fs/cgroup{inner}")

    async def body() -> str:
        async with wharf.Engine(root, options=_OPTIONS) as engine:
            made = (await engine.containers.create(_IDLE, name="scoped"))["Id"] or ""
            await engine.containers.start("scoped")
            scope = f"wharf-{made}.scope"
            pid = ((await engine.containers.inspect("scoped"))["State"] or {})["Pid"]
            assert _read(Path(f"/proc/{pid}/cgroup")) == f"0::{inner}/{scope}"
            assert systemd.property(scope, "Scope", "MemoryMax") == _LIMIT

            systemd.call("Reload")
            limits = [_read(folder / scope / name) for name in ("memory.max", "pids.max")]
            assert limits == [str(_LIMIT), "9"]
            await engine.containers.update("scoped", {"PidsLimit": 20})
            systemd.call("Reload")
            assert _read(folder / scope / "pids.max") == "20"

            await engine.containers.remove("scoped", force=True)
            return scope

    scope = asyncio.run(body())

    until(lambda: not systemd.knows(scope) and not (folder / scope).exists())
