from __future__ import annotations

import pytest
from tests.fakes.builds import HOST, converted

from wharf.build.graph.vertex import Edge
from wharf.engine.builds.platforms import has_emulator, require_runnable
from wharf.errors import NotImplementedHere
from wharf.images.platform import Platform

_ARM = Platform("linux", "arm64")


def _target(text: str) -> Edge:
    found = converted(text, platform=_ARM).target
    assert found is not None
    return found


def test_commands_for_another_machine_need_an_emulator() -> None:
    target = _target("FROM base\nRUN x")

    require_runnable(target, HOST, lambda _: True)
    require_runnable(target, _ARM, lambda _: False)
    with pytest.raises(NotImplementedHere, match=r"RUN x: commands for linux/arm64 cannot be run on linux/amd64"):
        require_runnable(target, HOST, lambda _: False)


def test_files_for_another_machine_need_nothing() -> None:
    require_runnable(_target("FROM base\nCOPY a b\nWORKDIR /c"), HOST, lambda _: False)
    crossing = _target("FROM --platform=$BUILDPLATFORM base AS make\nRUN x\nFROM base\nCOPY --from=make /x /x")
    require_runnable(crossing, HOST, lambda _: False)


def test_an_architecture_that_nobody_has_is_not_emulated() -> None:
    assert not has_emulator("none-of-that-name")
