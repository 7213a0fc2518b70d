"""Devices that vendors describe, with the hooks and the network devices that they bring."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.root.wharfd import until

import wharf
from wharf.engine.options import EngineOptions
from wharf.errors import WharfError
from wharf.spec.engine_api.container import CreateContainer

pytestmark = pytest.mark.root

POINTS = ("createRuntime", "createContainer", "startContainer", "poststart", "poststop")
Body = Callable[[wharf.Engine], Awaitable[None]]


class Vendor:
    """Descriptions of devices in a folder, and an engine that reads them."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._root = root
        self._folder = folder / "cdi"
        self._folder.mkdir()
        self.told = folder / "told"

    def describe(self, edits: dict[str, Any]) -> None:
        devices = [{"name": "one", "containerEdits": edits}]
        document = {"cdiVersion": "1.0.0", "kind": "vendor.test/thing", "devices": devices}
        (self._folder / "thing.json").write_text(json.dumps(document))

    def hook(self, point: str, script: str) -> dict[str, Any]:
        return {"hookName": point, "path": "/bin/sh", "args": ["sh", "-c", script], "env": ["PATH=/bin:/usr/bin"]}

    def run(self, body: Body) -> None:
        async def main() -> None:
            options = EngineOptions(device_folders=(self._folder,))
            async with wharf.Engine(self._root, options=options) as engine, asyncio.timeout(60):
                try:
                    await body(engine)
                finally:
                    for container in await engine.containers.list(all=True):
                        await engine.containers.remove(container["Id"] or "", force=True)

        asyncio.run(main())


@pytest.fixture
def vendor(root: Path, tmp_path: Path) -> Vendor:
    return Vendor(root, tmp_path)


def request(*command: str) -> CreateContainer:
    devices = [{"Driver": "cdi", "DeviceIDs": ["vendor.test/thing=one"]}]
    return {
        "Image": "busybox",
        "Cmd": list(command),
        "HostConfig": {"NetworkMode": "none", "DeviceRequests": devices},
    }  # type: ignore[typeddict-item]  # the fields that count


def test_hooks_run_at_every_point_of_a_life(vendor: Vendor) -> None:
    script = f'echo $(cat | grep -o \'"status": *"[a-z]*"\' | cut -d\'"\' -f4) >> {vendor.told}'
    in_container = vendor.hook("startContainer", "cat > /of-the-hook")
    vendor.describe({"hooks": [in_container, *(vendor.hook(p, script) for p in POINTS if p != "startContainer")]})

    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(request("cat", "/of-the-hook"), name="it")
        await engine.containers.start("it")
        await (await engine.containers.wait("it"))
        said = b"".join([chunk async for chunk in await engine.containers.logs("it")])
        assert b'"status"' in said
        await engine.containers.remove("it")

    vendor.run(body)

    until(lambda: "stopped" in vendor.told.read_text())  # the shim's last deed, which nobody waits for
    assert vendor.told.read_text().split() == ["created", "created", "running", "stopped"]


def test_a_hook_finds_the_root_by_the_bundle_it_is_told_of(vendor: Vendor) -> None:
    """As NVIDIA's does, which makes links in it."""
    find = (
        "import json,os,sys; bundle=json.load(sys.stdin)['bundle']; "
        "root=json.load(open(bundle+'/config.json'))['root']['path']; os.symlink('/bin/busybox', root+'/by-hook')"
    )
    hook = {"hookName": "createContainer", "path": "/usr/bin/env", "args": ["env", "python3", "-c", find]}
    vendor.describe({"hooks": [{**hook, "env": ["PATH=/usr/local/bin:/usr/bin:/bin"]}]})

    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(request("readlink", "/by-hook"), name="it")
        await engine.containers.start("it")
        await (await engine.containers.wait("it"))
        assert b"/bin/busybox" in b"".join([chunk async for chunk in await engine.containers.logs("it")])

    vendor.run(body)


@pytest.mark.parametrize("point", ["createRuntime", "createContainer", "startContainer", "poststart"])
def test_a_hook_that_fails_ends_the_start_and_is_named(vendor: Vendor, point: str) -> None:
    failing = vendor.hook(point, "echo no such thing >&2; exit 3")
    vendor.describe({"hooks": [failing, vendor.hook("poststop", f"echo over >> {vendor.told}")]})

    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(request("sleep", "100"), name="it")
        with pytest.raises(WharfError, match=rf"error running {point} hook #0 /bin/sh: exit status 3.*no such thing"):
            await engine.containers.start("it")
        found: Any = await engine.containers.inspect("it")
        assert (found["State"]["Running"], found["State"]["ExitCode"]) == (False, 128)

    vendor.run(body)

    assert vendor.told.read_text().split() == ["over"]


@pytest.fixture
def device() -> Iterator[str]:
    subprocess.run(["ip", "link", "add", "wvend0", "type", "veth", "peer", "name", "wvend1"], check=True)
    yield "wvend0"
    subprocess.run(["ip", "link", "delete", "wvend1"], check=False, stderr=subprocess.DEVNULL)


def test_a_network_device_goes_into_the_container(vendor: Vendor, device: str) -> None:
    vendor.describe({"netDevices": [{"hostInterfaceName": device, "name": "fast0"}]})

    async def body(engine: wharf.Engine) -> None:
        await engine.containers.create(request("ls", "/sys/class/net"), name="it")
        await engine.containers.start("it")
        await (await engine.containers.wait("it"))
        assert b"fast0" in b"".join([chunk async for chunk in await engine.containers.logs("it")])

    vendor.run(body)
