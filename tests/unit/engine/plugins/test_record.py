from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from wharf.engine.plugins.config import defaults, read_config
from wharf.engine.plugins.record import PluginRecord, PluginRecords
from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.lib.digest import digest_of
from wharf.storage.metadata import Database

_CONFIG = read_config(
    b'{"interface":{"types":["docker.volumedriver/1.0"],"socket":"a.sock"},"env":[{"name":"A","value":"1"}]}'
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "db")
    yield database
    database.close()


def _record(name: str = "sample:latest", digit: str = "1") -> PluginRecord:
    return PluginRecord(digit * 64, name, "host:5000/sample:1", digest_of(b""), _CONFIG, defaults(_CONFIG))


def test_a_plugin_is_found_by_name_id_and_their_short_forms_also_by_a_later_engine(database: Database) -> None:
    PluginRecords(database).save(_record())
    records = PluginRecords(database)

    for ref in ("sample", "sample:latest", "1" * 64, "111"):
        assert records.resolve(ref) == _record()
    assert records.resolve("sample").document()["Settings"]["Env"] == ["A=1"]
    assert "1" * 64 in records


def test_what_is_not_there_or_not_clear_is_refused(database: Database) -> None:
    records = PluginRecords(database)
    records.save(_record())
    records.save(_record("other:1", "12"[0] + "2"))

    for ref in ("none", "", "sample:2", "Ünn"):
        with pytest.raises(NotFound, match=f'plugin "{ref}" not found'):
            records.resolve(ref)
    with pytest.raises(InvalidArgument, match="multiple plugins"):
        records.resolve("1")
    with pytest.raises(Conflict, match="plugin sample:latest already exists"):
        records.require_free("sample")


def test_only_an_enabled_plugin_of_the_kind_serves(database: Database) -> None:
    records = PluginRecords(database)
    records.save(_record())

    assert records.serving("other", "volumedriver") is None
    with pytest.raises(Conflict, match="plugin sample:latest found but disabled"):
        records.serving("sample", "volumedriver")
    with pytest.raises(NotFound, match="does not implement authz"):
        records.serving("sample", "authz")
    enabled = replace(_record(), enabled=True, timeout_s=3)
    records.save(enabled)
    assert records.serving("sample", "volumedriver") == enabled
    records.forget(enabled.id)
    records.forget(enabled.id)
    assert [*PluginRecords(database)] == []
