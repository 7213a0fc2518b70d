from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.fakes.plugin import fake_plugin

from wharf.engine.authorization import Authorization
from wharf.engine.context import Context
from wharf.errors import Forbidden, NotFound
from wharf.plugins import finding


def _authorization(*names: str) -> Authorization:
    options, records = SimpleNamespace(authorization=names), SimpleNamespace(serving=lambda *_: None)
    return Authorization(cast("Context", cast("Any", SimpleNamespace(options=options, plugins=records))))


def test_a_plugin_that_runs_by_itself_is_refused_unless_it_is_one_of_authorization(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = finding.find
    monkeypatch.setattr(finding, "find", lambda name: find(name, [tmp_path], []))
    with fake_plugin(tmp_path / "keeper.sock"), fake_plugin(tmp_path / "guard.sock", "authz") as guard:
        guard.answers["/AuthZPlugin.AuthZReq"] = {"Allow": False, "Msg": "no"}
        authorization = _authorization("guard")
        authorization.require(["guard"])
        with pytest.raises(
            NotFound, match='error validating authorization plugin: plugin "keeper" does not implement'
        ):
            authorization.require(["keeper"])
        with pytest.raises(Forbidden, match="authorization denied by plugin guard: no"):
            asyncio.run(authorization.request({"RequestURI": "/"}))

        assert [path for path, _ in guard.asked] == ["/Plugin.Activate", "/AuthZPlugin.AuthZReq"]


def test_plugins_are_asked_on_threads_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = finding.find
    monkeypatch.setattr(finding, "find", lambda name: find(name, [tmp_path], []))
    over = threading.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, over.wait)
        try:
            await asyncio.wait_for(_authorization("guard").request({"RequestURI": "/"}), 30)
        finally:
            over.set()
            await busy

    with fake_plugin(tmp_path / "guard.sock", "authz") as guard:
        guard.answers["/AuthZPlugin.AuthZReq"] = {"Allow": True}
        asyncio.run(main())
