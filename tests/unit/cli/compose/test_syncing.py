from __future__ import annotations

import io
import socket
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.fakes.compose import project

from wharf.cli.compose.syncing import Syncing, Watcher, copy
from wharf.compose.plan.sync import Change
from wharf.errors import Unavailable


class Gone:
    """An engine that does not answer."""

    @property
    def containers(self) -> Any:
        raise Unavailable("no engine")


def syncing(folder: Path, said: list[str], services: tuple[str, ...] = ()) -> Syncing:
    text = f"""
        services:
          a: {{image: x, develop: {{watch: [{{path: {folder}, action: sync, target: /t}}]}}}}
          b: {{image: x, develop: {{watch: [{{path: {folder}, action: restart}}]}}}}
        """
    work: Any = SimpleNamespace(project=project(text), engine=Gone())
    return Syncing(None, work, services, said.append)  # type: ignore[arg-type]


def test_services_that_were_named_alone_are_followed(tmp_path: Path) -> None:
    assert [name for name, _ in syncing(tmp_path, []).triggers] == ["a", "b"]
    assert [name for name, _ in syncing(tmp_path, [], ("b",)).triggers] == ["b"]


def test_failure_is_told_and_the_next_change_may_mend_it(tmp_path: Path) -> None:
    said: list[str] = []
    found = syncing(tmp_path, said)
    found.heed({f"{tmp_path}/x"})
    found.heed({f"{tmp_path}/elsewhere/../../other"})

    assert said[:2] == ["ERROR: a: no engine", "ERROR: b: no engine"]


class Taking:
    """An engine with one container of service a, which keeps what it is brought."""

    def __init__(self) -> None:
        self.brought: list[bytes] = []
        self.containers = self

    def list(self, **_: Any) -> list[dict[str, object]]:
        return [{"Id": "c", "Labels": {"com.docker.compose.service": "a"}}]

    def extract(self, name: str, path: str, chunks: list[bytes]) -> None:
        assert (name, path) == ("c", "/")
        self.brought += chunks


def brought(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {one.name: file.read() if (file := tar.extractfile(one)) else b"" for one in tar}


def test_a_file_that_cannot_be_read_is_told_and_the_next_change_is_brought(tmp_path: Path) -> None:
    said: list[str] = []
    found = syncing(Path("/proc/self"), said, ("a",))
    engine: Any = Taking()
    found._work.engine = engine
    found.heed({"/proc/self/clear_refs"})  # nobody reads it, not even root
    assert (len(engine.brought), said[1].partition("]")[0]) == (0, "ERROR: a: [Errno 22")

    found.heed({"/proc/self/comm"})
    assert brought(engine.brought[0]) == {"t/comm": Path("/proc/self/comm").read_bytes()}


def test_a_file_is_brought_as_long_as_it_is_when_it_is_read(tmp_path: Path) -> None:
    short = Path("/sys/kernel/mm/transparent_hugepage/enabled")  # the kernel says 4096 bytes, and gives fewer
    engine: Any = Taking()
    copy(engine, "c", [Change(str(short), "/t/short"), Change(__file__, "/t/after")])

    assert len(short.read_bytes()) < short.stat().st_size
    assert brought(engine.brought[0]) == {"t/short": short.read_bytes(), "t/after": Path(__file__).read_bytes()}


def test_sockets_are_not_brought(tmp_path: Path) -> None:
    engine: Any = Taking()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        copy(engine, "c", [Change(str(tmp_path / "s"), "/t/s")])
    assert engine.brought == []


def test_watcher_follows_until_it_is_stopped_and_may_begin_again(tmp_path: Path) -> None:
    said: list[str] = []
    watcher = Watcher(syncing(tmp_path, said, ("b",)), said.append)
    for _ in range(2):
        watcher.start()
        assert watcher.watching
        watcher.stop()
        assert not watcher.watching
        watcher.stop()

    assert said == ["Watch enabled", "Watch enabled"]
    assert watcher.useful
