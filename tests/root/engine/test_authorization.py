"""Authorization plugins that are installed: asked, obeyed, and never done without."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.root.engine.plugins import made

import wharf
from wharf.engine.options import EngineOptions
from wharf.errors import Conflict, Forbidden, NotFound, WharfError

pytestmark = pytest.mark.root

_ASKED = {"RequestMethod": "GET", "RequestURI": "/volumes"}


def test_an_installed_plugin_allows_and_denies_and_without_it_no_engine_starts(root: Path) -> None:
    config = made.config(interface={"types": ["docker.authz/1.0"], "socket": "keeper.sock"})

    async def install() -> None:
        async with wharf.Engine(root) as engine:
            await engine.plugins.create("guard", made.chunks(made.archive(config)))
            assert not engine.authorization.wanted
            with pytest.raises(Conflict, match="error validating authorization plugin: plugin guard:latest found"):
                await engine.reload(EngineOptions(authorization=("guard",)), {})
            await engine.plugins.enable("guard")
            with pytest.raises(NotFound, match='error validating authorization plugin: plugin "none" not found'):
                await engine.reload(EngineOptions(authorization=("none",)), {})

    async def guarded() -> None:
        async with wharf.Engine(root, options=EngineOptions(authorization=("guard",))) as engine:
            assert engine.authorization.wanted
            await engine.authorization.request(_ASKED)
            with pytest.raises(Forbidden, match="authorization denied by plugin guard: not /secrets"):
                await engine.authorization.request({**_ASKED, "RequestURI": "/secrets"})
            with pytest.raises(Forbidden, match="not 418"):
                await engine.authorization.response({**_ASKED, "ResponseStatusCode": 418})
            await engine.plugins.disable("guard")
            with pytest.raises(WharfError, match="plugin guard failed with error: plugin guard:latest found but"):
                await engine.authorization.request(_ASKED)

    async def remove() -> None:
        with pytest.raises(Conflict):
            async with wharf.Engine(root, options=EngineOptions(authorization=("guard",))):
                pass
        async with wharf.Engine(root) as engine:
            await engine.plugins.remove("guard")

    for step in (install, guarded, remove):
        asyncio.run(step())
