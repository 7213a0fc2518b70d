from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.unit.engine.plugins.test_record import _record as record

from wharf.engine.plugins.plugins import PluginVerbs
from wharf.engine.plugins.record import PluginRecords
from wharf.storage.layout import DataRoot, RunRoot
from wharf.storage.metadata import Database


class _Broken:
    """Processes that cannot be looked at."""

    async def adopt(self, *_: object) -> None:
        raise NotADirectoryError(20, "Not a directory")


def test_an_engine_starts_whatever_is_wrong_with_a_plugin(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    records = PluginRecords(database)
    records.save(replace(record(), enabled=True))
    context: Any = SimpleNamespace(
        plugins=records, data=DataRoot(tmp_path), run=RunRoot(tmp_path / "run"), processes=_Broken()
    )
    asyncio.run(PluginVerbs(context).start())

    assert [one.enabled for one in records] == [False]
    database.close()
