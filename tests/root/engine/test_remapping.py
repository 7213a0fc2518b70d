"""An engine that remaps users says at once when its disk cannot have their files."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import pytest

import wharf
from wharf.engine.options import EngineOptions
from wharf.errors import NotImplementedHere
from wharf.kernel import mount
from wharf.lib.remap import Remap

pytestmark = pytest.mark.root

OPTIONS = EngineOptions(userns_remap=Remap(((200_000, 65_536),), ((200_000, 65_536),)))


def test_a_file_system_without_id_mapped_mounts_is_named(tmp_path: Path) -> None:
    for name in ("lower", "upper", "work", "root"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={tmp_path}/lower,upperdir={tmp_path}/upper,workdir={tmp_path}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, tmp_path / "root"], check=True)
    try:
        with pytest.raises(
            NotImplementedHere, match=f"userns-remap needs id-mapped mounts, which .* {tmp_path}/root"
        ):
            asyncio.run(wharf.Engine(tmp_path / "root", options=OPTIONS).__aenter__())
    finally:
        mount.umount(str(tmp_path / "root"))


def test_it_says_so_among_its_security_options(tmp_path: Path) -> None:
    async def main() -> None:
        async with wharf.Engine(tmp_path / "root", options=OPTIONS) as engine:
            assert "name=userns" in ((await engine.system.info())["SecurityOptions"] or [])

    asyncio.run(main())
