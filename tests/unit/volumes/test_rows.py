from __future__ import annotations

from pathlib import Path

import pytest

from wharf.errors import NotFound
from wharf.storage.metadata import Database
from wharf.volumes.rows import Row, Rows


def test_a_row_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rows = Rows(Database(tmp_path / "db"))
    row = Row("v", "2026-01-01T00:00:00Z", {"a": "b"}, "mine", {"size": "1"}, filling=True, part="a/b", made_for="c")
    rows.write(row)

    assert (rows.find("v"), rows.all()) == (row, [row])

    rows.forget("v")
    rows.forget("v")
    assert rows.find("v") is None
    with pytest.raises(NotFound, match="get v: no such volume"):
        rows.require("v")


def test_a_row_of_before_there_were_options_is_read(tmp_path: Path) -> None:
    database = Database(tmp_path / "db")
    with database.transaction() as db:
        db.execute("""INSERT INTO volumes VALUES ('v', 'local', '', '{"labels":{},"filling":false}')""")

    assert Rows(database).find("v") == Row("v", "", {})
