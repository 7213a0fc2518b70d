from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.fakes.compose import project

from wharf.cli.compose.syncing import Syncing, Watcher
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
