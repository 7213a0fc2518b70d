"""Hooks of a container, around a runtime that makes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from wharf.runtime.errors import StartFailed
from wharf.shim.hooked import HookedRuntime


class Started:
    """A process that is only said to be there; tells what is done with it."""

    pid, pidfd, console, steps = 42, 7, None, {"plan": 1}

    def __init__(self, told: Path) -> None:
        self._told = told

    def _tell(self, what: str) -> None:
        with self._told.open("a") as file:
            file.write(f"{what}\n")

    def start(self) -> None:
        self._tell("started")

    def abort(self) -> None:
        self._tell("aborted")

    def let_mounts_go(self) -> None:
        self._tell("unmounted")


class Shop:
    """A runtime with hooks, its shim's folder, and what was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = folder / "told"
        self.asked: dict[str, Any] = {}
        self.refusal: StartFailed | None = None
        nothing = dict.fromkeys(("expect", "execute", "dump", "restore"))
        runtime: Any = SimpleNamespace(StartFailed=StartFailed, create=self._create, **nothing)
        request: Any = {"id": "c1", "shim_dir": str(folder)}
        self.runtime = HookedRuntime(runtime, request)

    def _create(self, spec: Any, **asked: Any) -> Started:
        self.asked = asked
        if self.refusal is not None:
            raise self.refusal
        return Started(self.told)

    def create(self, *points: str, fails: str = "") -> Any:
        hooks = {point: [self._hook(point, 1 if point == fails else 0)] for point in points}
        spec: Any = {"ociVersion": "1.3.0", "root": {"path": "upper", "readonly": True}, "hooks": hooks}
        return self.runtime.create(
            spec,
            bundle="/containers/c1",
            rootfs=[],
            stdio=None,
            cgroup=None,
            seccomp_cache="",  # type: ignore[arg-type]
        )

    def _hook(self, point: str, code: int) -> dict[str, Any]:
        return {"path": "/bin/sh", "args": ["sh", "-c", f"echo {point} >> {self.told}; exit {code}"]}

    def lines(self) -> list[str]:
        return self.told.read_text().split()


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_what_runs_after_the_start_and_after_the_end_is_run_here(shop: Shop) -> None:
    started = shop.create("poststart", "poststop")
    started.start()
    started.let_mounts_go()

    assert shop.lines() == ["started", "poststart", "unmounted", "poststop"]


def test_the_bundle_that_hooks_are_told_of_has_a_configuration_with_the_roots_place(shop: Shop) -> None:
    shop.create("createContainer")

    state = shop.asked["invocation"].state
    assert (state["id"], state["bundle"], state["ociVersion"]) == ("c1", str(shop.folder), "1.3.0")
    document = json.loads((shop.folder / "config.json").read_text())
    assert document["root"] == {"path": "/containers/c1/upper", "readonly": True}


def test_a_container_that_cannot_be_created_has_its_last_hooks_run(shop: Shop) -> None:
    shop.refusal = StartFailed("other", "no such thing")

    with pytest.raises(StartFailed, match="no such thing"):
        shop.create("createContainer", "poststop")

    assert shop.lines() == ["poststop"]


def test_a_hook_that_fails_after_the_start_is_the_starts_failure(shop: Shop) -> None:
    started = shop.create("poststart", "poststop", fails="poststart")

    with pytest.raises(StartFailed, match="error running poststart hook #0 /bin/sh"):
        started.start()
    started.abort()

    assert shop.lines() == ["started", "poststart", "aborted", "poststop"]
