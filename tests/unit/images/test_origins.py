from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.images.origins import Build, Origins, forget_origins
from wharf.storage.metadata import Database

IMAGE = "sha256:" + "a" * 64


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "db")
    yield database
    database.close()


def test_an_image_is_known_by_the_registries_it_was_at_and_the_builds_that_made_it(database: Database) -> None:
    origins = Origins(database)
    assert origins.of(IMAGE) is None

    origins.at_registry(IMAGE, "docker.io/library/a", "2026-01-02T00:00:00Z")
    origins.at_registry(IMAGE, "registry.test/a", "2026-01-01T00:00:00Z")
    origins.at_registry(IMAGE, "registry.test/a", "2026-01-03T00:00:00Z")
    origins.built(IMAGE, Build("ref1", "2026-01-01T00:00:00Z"))

    assert origins.of(IMAGE) == {
        "Pull": [{"Repository": "docker.io/library/a"}, {"Repository": "registry.test/a"}],
        "Build": [{"Ref": "ref1", "CreatedAt": "2026-01-01T00:00:00Z"}],
    }
    assert origins.of("sha256:" + "b" * 64) is None


def test_of_many_builds_of_an_image_the_last_are_known(database: Database) -> None:
    origins = Origins(database)
    for number in range(60):
        origins.built(IMAGE, Build(f"ref{number}", f"2026-01-01T00:00:{number:02}Z"))
    origins.at_registry(IMAGE, "registry.test/a", "2026-01-01T00:00:00Z")

    found = origins.of(IMAGE)
    assert found is not None
    assert [one["Ref"] for one in found["Build"]] == [f"ref{number}" for number in range(10, 60)]
    assert found["Pull"] == [{"Repository": "registry.test/a"}]


def test_where_an_image_came_from_goes_with_it(database: Database) -> None:
    origins = Origins(database)
    with database.transaction() as db:
        db.execute("INSERT INTO images VALUES ('m', 'kept', 0, '')")
    for image in ("kept", "gone"):
        origins.at_registry(image, "registry.test/a", "2026-01-01T00:00:00Z")
    with database.transaction() as db:
        forget_origins(db)

    assert (origins.of("kept") is None, origins.of("gone") is None) == (False, True)
