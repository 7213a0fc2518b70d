"""Volumes, and parts of them, that an image fills."""

from __future__ import annotations

import asyncio
import os
import stat

import pytest
from tests.root.volumes.place import Place

pytestmark = pytest.mark.root


@pytest.mark.parametrize("target", ["/srv/data", "/link", "/up/srv/data", "/link/../data"])
def test_an_empty_volume_is_filled_from_the_image(place: Place, target: str) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    asyncio.run(place.volumes.fill("vol", target, place.image()))

    folder = place.data.volume("vol")
    status = folder.stat()
    assert ((folder / "f").read_text(), (folder / "f").stat().st_uid) == ("from the image", 7)
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (7, 8, 0o2750)


@pytest.mark.parametrize("target", ["/missing", "/file", "/up/../../etc"])
def test_an_image_without_that_folder_leaves_a_volume_empty(place: Place, target: str) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    asyncio.run(place.volumes.fill("vol", target, place.image()))
    asyncio.run(place.volumes.fill("vol", target, ""))

    assert list(place.data.volume("vol").iterdir()) == []


def test_a_volume_with_content_is_left_alone(place: Place) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    (place.data.volume("vol") / "own").write_text("mine")
    asyncio.run(place.volumes.fill("vol", "/srv/data", place.image()))

    assert os.listdir(place.data.volume("vol")) == ["own"]


def test_a_copy_that_was_broken_off_is_done_again(place: Place) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    (place.data.volume("vol") / "f").write_text("from the")
    with place.database.transaction() as db:
        db.execute("""UPDATE volumes SET document = '{"labels":{},"filling":true}'""")
    asyncio.run(place.volumes.fill("vol", "/srv/data", place.image()))

    assert (place.data.volume("vol") / "f").read_text() == "from the image"


def test_a_part_is_filled_and_the_rest_left_alone(place: Place) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    folder = place.data.volume("vol")
    for name in ("part", "other"):
        (folder / name).mkdir()
    (folder / "out").symlink_to(place.data.path)
    for part in ("part", "missing", "out"):
        asyncio.run(place.volumes.fill("vol", "/srv/data", place.image(), part))
    (folder / "part/f").write_text("mine")
    asyncio.run(place.volumes.fill("vol", "/srv/data", place.image(), "part"))

    found = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert (found, (folder / "part/f").read_text()) == ({"part", "part/f", "other", "out"}, "mine")


def test_a_copy_into_a_part_that_was_broken_off_is_done_again_there_alone(place: Place) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    folder = place.data.volume("vol")
    (folder / "part").mkdir()
    (folder / "part/f").write_text("from the")
    with place.database.transaction() as db:
        db.execute("""UPDATE volumes SET document = '{"labels":{},"filling":true,"part":"part"}'""")
    for part in ("", "part"):
        asyncio.run(place.volumes.fill("vol", "/srv/data", place.image(), part))

    assert ((folder / "part/f").read_text(), os.listdir(folder)) == ("from the image", ["part"])
