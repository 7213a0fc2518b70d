"""What the tests of shims and processes share: a run root, bundles, clients."""

from __future__ import annotations

import json
import socket
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.root import groups

from wharf.processes.processes import Processes
from wharf.processes.shim import Shim
from wharf.spec.shim_messages import Attachment, SpawnRequest
from wharf.storage.layout import RunRoot

HERE = Path(__file__).parent
ENTRY = (
    f"sys.path.append({str(HERE)!r}); import socket, fake_runtime; from wharf.shim.zygote import serve; "
    "serve(socket.socket(fileno=3), fake_runtime)"
)
BOTH: Attachment = {"stdin": False, "stdout": True, "stderr": True}
ALL: Attachment = {"stdin": True, "stdout": True, "stderr": True}
CGROUPS = f"{groups.PARENT}/p"


class Bench:
    """A run root with the things one test starts on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = RunRoot(folder / "run")
        self.processes = Processes(self.run, zygote_entry=ENTRY)

    def request(self, *args: str, terminal: bool = False, **changes: Any) -> SpawnRequest:
        container_id = uuid.uuid4().hex
        bundle = self.folder / "containers" / container_id
        bundle.mkdir(parents=True)
        spec = {
            "process": {"args": list(args), "terminal": terminal},
            "linux": {"cgroupsPath": f"{CGROUPS}/{container_id}", "resources": changes.pop("resources", {})},
        }
        (bundle / "config.json").write_text(json.dumps(spec))
        request: dict[str, Any] = {
            "id": container_id,
            "bundle": str(bundle),
            "cgroup": f"{CGROUPS}/{container_id}",
            "terminal": terminal,
            "own_pids": False,
            "rootfs": [],
            "shim_dir": str(self.run.shim(container_id)),
            "seccomp_cache": str(self.run.seccomp),
            "open_stdin": False,
            "stdin_once": False,
            "log": {"driver": "json-file", "path": str(bundle / "log.json")},
            "attachments": [],
        }
        return request | changes  # type: ignore[return-value]

    async def start(self, request: SpawnRequest, attachments: Sequence[socket.socket] = ()) -> Shim:
        spec = json.loads((Path(request["bundle"]) / "config.json").read_bytes())
        return await self.processes.spawn(request, spec, attachments)

    async def spawn(self, *args: str, **changes: Any) -> Shim:
        return await self.start(self.request(*args, **changes))

    async def spawn_attached(self, attachment: Attachment, *args: str, **changes: Any) -> tuple[Shim, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            return await self.start(self.request(*args, attachments=[attachment], **changes), [theirs]), ours

    def log(self, request: SpawnRequest) -> list[dict[str, str]]:
        return [json.loads(line) for line in Path(request["log"]["path"]).read_text().splitlines()]
