from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from wharf.errors import Conflict, DataLoss, NotImplementedHere, Unavailable
from wharf.storage.lock import EngineLock
from wharf.storage.metadata import Database


def test_a_new_database_has_the_newest_schema(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    tables = {row[0] for row in database.query("SELECT name FROM sqlite_master WHERE type = 'table'")}
    database.close()

    assert {"images", "image_references", "snapshots", "containers", "networks", "endpoints", "volumes"} <= tables


def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("PRAGMA user_version = 1000")
    connection.close()

    with pytest.raises(NotImplementedHere, match="schema 1000, written by a later wharf"):
        Database(tmp_path / "db")


def test_a_file_that_is_no_database_is_data_loss(tmp_path: Path) -> None:
    (tmp_path / "db").write_bytes(b"not a database" * 100)

    with pytest.raises(DataLoss, match="cannot be used"):
        Database(tmp_path / "db")


def test_a_migration_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    scripts = tmp_path / "migrations"
    scripts.mkdir()
    (scripts / "0001_first.sql").write_text("CREATE TABLE a (x TEXT) STRICT;")
    Database(tmp_path / "db", scripts).close()
    (scripts / "0002_second.sql").write_text("CREATE TABLE b (x TEXT) STRICT; INSERT INTO nowhere VALUES (1);")
    with pytest.raises(DataLoss):
        Database(tmp_path / "db", scripts)

    (scripts / "0002_second.sql").unlink()
    database = Database(tmp_path / "db", scripts)
    assert (database.version, database.query("SELECT name FROM sqlite_master")) == (1, [("a",)])
    database.close()


def test_a_transaction_in_another_is_undone_with_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")

    def fail() -> None:
        with database.transaction() as db:
            with database.transaction() as inner:
                inner.execute("INSERT INTO volumes VALUES ('v', 'local', '', '')")
            db.execute("INSERT INTO volumes VALUES ('w', 'local', '', '')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert database.query("SELECT name FROM volumes") == []
    with database.transaction(), database.transaction() as db:
        db.execute("INSERT INTO volumes VALUES ('v', 'local', '', '')")
    assert database.query("SELECT name FROM volumes") == [("v",)]
    database.close()


def test_a_transaction_that_raises_changes_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")

    def fail() -> None:
        with database.transaction() as db:
            db.execute("INSERT INTO volumes VALUES ('v', 'local', '', '')")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert database.query("SELECT * FROM volumes") == []
    database.close()


def test_threads_take_turns(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")

    def work(number: int) -> None:
        for i in range(20):
            with database.transaction() as db:
                db.execute("INSERT INTO volumes VALUES (?, 'local', '', '')", (f"{number}-{i}",))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert database.query("SELECT count(*) FROM volumes") == [(80,)]
    database.close()


def test_references_between_tables_are_enforced(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as db:
        db.execute(
            "INSERT INTO image_references (reference, manifest_digest, updated_at) VALUES ('a', 'sha256:none', '')"
        )
    database.close()


def test_a_root_has_one_engine_and_says_which(tmp_path: Path) -> None:
    import os

    with (
        EngineLock(tmp_path / "lock"),
        pytest.raises(Conflict, match=rf"in use by another engine \(process {os.getpid()}\)"),
    ):
        EngineLock(tmp_path / "lock")

    EngineLock(tmp_path / "lock").close()


def test_a_closed_database_says_so(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    database.close()

    with pytest.raises(Unavailable, match="the engine is closed"):
        database.query("SELECT 1")
    with pytest.raises(Unavailable, match="the engine is closed"), database.transaction():
        pass
