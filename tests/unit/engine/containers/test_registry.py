from __future__ import annotations

from pathlib import Path

import pytest

from wharf.engine.containers.record import Container, Specification
from wharf.engine.containers.registry import Registry
from wharf.engine.containers.state import State
from wharf.errors import Conflict, DataLoss, InvalidArgument, NotFound
from wharf.storage.metadata import Database


def _container(container_id: str, name: str) -> Container:
    spec = Specification(config={}, host_config={}, networking={}, mounts=[], path="true", args=[])
    return Container(container_id, name, "2026-01-02T03:04:05Z", "sha256:1", "sha256:2", spec, State())


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "wharf.db")


def test_a_container_is_found_by_id_unique_prefix_and_name(database: Database) -> None:
    registry = Registry(database)
    first, second = _container("abc1", "one"), _container("abc2", "two")
    registry.add(first)
    registry.add(second)

    assert [registry.resolve(ref) for ref in ("abc1", "abc2", "one", "/two")] == [first, second, first, second]
    with pytest.raises(InvalidArgument, match="abc"):
        registry.resolve("abc")
    with pytest.raises(NotFound, match="No such container: three"):
        registry.resolve("three")


def test_another_registry_reads_what_one_has_written(database: Database) -> None:
    registry = Registry(database)
    registry.add(_container("abc1", "one"))
    registry.add(_container("abc2", "two"))
    registry.rename(registry.resolve("one"), "uno")
    registry.discard(registry.resolve("two"))

    later = Registry(database)
    later.load()
    assert [(container.id, container.name) for container in later] == [("abc1", "uno")]


def test_a_name_is_one_containers(database: Database) -> None:
    registry = Registry(database)
    registry.add(_container("abc1", "one"))
    with pytest.raises(Conflict, match='"/one" is already in use by container "abc1"'):
        registry.require_free("one")
    registry.discard(registry.resolve("one"))
    registry.require_free("one")


def _record_and_fail(registry: Registry, database: Database, container: Container) -> None:
    with database.transaction():
        registry.add(container)
        raise KeyError


def test_a_record_that_was_not_written_after_all_is_forgotten(database: Database) -> None:
    registry, kept = Registry(database), _container("abc1", "one")
    registry.add(kept)
    lost = _container("abc2", "two")
    with pytest.raises(KeyError):
        _record_and_fail(registry, database, lost)
    registry.abandon(lost)
    registry.abandon(_container("abc1", "one"))  # one that was never added takes nothing of another's away

    assert list(registry) == [kept]
    registry.require_free("two")


def test_a_record_that_cannot_be_read_is_told_of(database: Database) -> None:
    registry = Registry(database)
    registry.add(_container("abc1", "one"))
    with database.transaction() as db:
        db.execute("UPDATE containers SET state = '{'")
    with pytest.raises(DataLoss, match=r"the record of container one \(abc1\) cannot be read"):
        Registry(database).load()
