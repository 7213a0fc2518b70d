from __future__ import annotations

import asyncio
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.lib.digest import Digest, digest_of
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.volumes.drivers import is_mounted
from wharf.volumes.volumes import ANONYMOUS, Volumes

pytestmark = pytest.mark.root


class Place:
    def __init__(self, path: Path) -> None:
        self.data = DataRoot(path)
        self.database = Database(self.data.database)
        self.snapshots = Snapshots(self.data, self.database)
        self.volumes = Volumes(self.data, self.database, self.snapshots, lambda: 1_700_000_000 * 10**9)

    def image(self) -> Digest:
        """Return the chain id of a layer with /srv/data (7:8, 2750) and a symlink to it."""
        chain_id = digest_of(b"layer")
        with self.snapshots.stage() as stage:
            folder = stage.path / "srv/data"
            folder.mkdir(parents=True)
            (folder / "f").write_text("from the image")
            os.chown(folder / "f", 7, 8)
            os.chown(folder, 7, 8)
            folder.chmod(0o2750)
            (stage.path / "link").symlink_to("/srv/data")
            (stage.path / "up").symlink_to("../../../..")
            (stage.path / "file").write_text("x")
            self.snapshots.adopt(stage, chain_id)
        with self.database.transaction() as db:
            self.snapshots.record(db, chain_id, parent=None, diff_id=chain_id, size_bytes=0)
        return chain_id


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    yield place
    place.database.close()


def names(place: Place, **filters: list[str]) -> list[str | None]:
    return [v.get("Name") for v in asyncio.run(place.volumes.list(filters)).get("Volumes") or []]


@pytest.mark.parametrize("name", ["../x", "a/b", "-a", ".a", "a b", "a\n", "x" * 300, "é1"])
def test_a_name_that_could_be_a_path_is_refused(place: Place, name: str) -> None:
    with pytest.raises(InvalidArgument, match="includes invalid characters for a local volume name"):
        asyncio.run(place.volumes.create({"Name": name}))

    assert list(place.data.volumes.iterdir()) == []


def test_what_the_local_driver_does_not_do_is_refused(place: Place) -> None:
    with pytest.raises(NotFound, match='plugin "nfs" not found'):
        asyncio.run(place.volumes.create({"Name": "vv", "Driver": "nfs"}))
    with pytest.raises(InvalidArgument, match='create vv: missing required option: "device"'):
        asyncio.run(place.volumes.create({"Name": "vv", "DriverOpts": {"type": "tmpfs"}}))
    with pytest.raises(InvalidArgument, match="create vv: quota size requested but no quota support"):
        asyncio.run(place.volumes.create({"Name": "vv", "DriverOpts": {"size": "1m"}}))
    assert names(place) == []


def test_a_volume_is_made_once(place: Place) -> None:
    first = asyncio.run(place.volumes.create({"Name": "vol", "Labels": {"a": "b"}}))
    again = asyncio.run(place.volumes.create({"Name": "vol"}))

    assert first == again == asyncio.run(place.volumes.inspect("vol"))
    assert first == {
        "CreatedAt": "2023-11-14T22:13:20.000000000Z",
        "Driver": "local",
        "Labels": {"a": "b"},
        "Mountpoint": str(place.data.volume("vol")),
        "Name": "vol",
        "Options": None,
        "Scope": "local",
    }


def test_filters_choose(place: Place) -> None:
    for name in ("one", "two"):
        asyncio.run(place.volumes.create({"Name": name, "Labels": {"n": name}}))

    assert names(place, name=["wo"]) == ["two"]
    assert names(place, label=["n=one"]) == ["one"]
    assert names(place, driver=["other"]) == []
    with pytest.raises(InvalidArgument, match="invalid filter 'x'"):
        names(place, x=["y"])


def test_a_volume_in_use_is_not_removed(place: Place) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    with pytest.raises(Conflict, match=re.escape("remove vol: volume is in use - [c1, c2]")):
        asyncio.run(place.volumes.remove("vol", force=True, in_use=lambda _: ["c1", "c2"]))

    asyncio.run(place.volumes.remove("vol"))
    assert (names(place), list(place.data.volumes.iterdir()), list(place.data.ingest.iterdir())) == ([], [], [])


def test_a_missing_volume_is_named(place: Place) -> None:
    with pytest.raises(NotFound, match="get nope: no such volume"):
        asyncio.run(place.volumes.remove("nope"))
    asyncio.run(place.volumes.remove("nope", force=True))


def test_pruning_spares_named_volumes_unless_asked(place: Place) -> None:
    anonymous = asyncio.run(place.volumes.create({})).get("Name") or ""
    asyncio.run(place.volumes.create({"Name": "vol"}))
    (place.data.volume(anonymous) / "f").write_bytes(b"12345")

    assert asyncio.run(place.volumes.prune({})) == {"VolumesDeleted": [anonymous], "SpaceReclaimed": 5}
    assert asyncio.run(place.volumes.prune({"all": ["true"]}, lambda _: ["c"]))["VolumesDeleted"] is None
    assert asyncio.run(place.volumes.prune({"all": ["true"]}))["VolumesDeleted"] == ["vol"]


def test_only_volumes_nobody_named_go_with_their_container(place: Place) -> None:
    for name, labels in (("named", {}), ("anonymous", {ANONYMOUS: ""})):
        asyncio.run(place.volumes.create({"Name": name, "Labels": labels}))
        asyncio.run(place.volumes.remove_if_anonymous(name))

    assert names(place) == ["named"]


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


def test_a_removal_that_was_broken_off_is_finished_by_the_next_start(place: Place) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    place.data.volume("vol").parent.rename(place.data.ingest / "removed-1")

    assert Volumes(place.data, place.database)._rows.all() == []


def test_a_volume_goes_with_the_container_that_it_was_made_for_until_it_is_kept(place: Place) -> None:
    for name in ("kept", "lost"):
        asyncio.run(place.volumes.create({"Name": name}, made_for="c1"))
    asyncio.run(place.volumes.create({"Name": "kept"}, made_for="c2"))
    place.volumes.keep("kept")

    assert place.volumes.unsettled() == {"c1"}
    asyncio.run(place.volumes.remove_made_for("c1"))
    assert (names(place), place.volumes.unsettled()) == (["kept"], set())


def test_a_volume_whose_making_was_broken_off_is_dropped_by_the_next_start(place: Place) -> None:
    with place.database.transaction() as db:
        for name in ("vol", "half"):
            db.execute("""INSERT INTO volumes VALUES (?, 'local', '', '{"labels":{},"filling":false}')""", (name,))
    (place.data.volumes / "half").mkdir()

    assert Volumes(place.data, place.database)._rows.all() == []
    assert list(place.data.volumes.iterdir()) == []


def test_mounts_that_a_killed_engine_left_are_settled_by_those_who_live(place: Place) -> None:
    options = {"type": "tmpfs", "device": "tmpfs"}
    folders = []
    for name in ("kept", "left"):
        asyncio.run(place.volumes.create({"Name": name, "DriverOpts": options}))
        folders.append(Path(asyncio.run(place.volumes.mount(name, "c1"))))
    again = Volumes(place.data, place.database, place.snapshots)
    asyncio.run(again.settle({"kept": ["c1"]}))

    assert [is_mounted(folder) for folder in folders] == [True, False]

    asyncio.run(again.unmount("kept", "c1"))
    assert is_mounted(folders[0]) is False


def test_a_name_that_another_driver_has_is_refused(place: Place) -> None:
    asyncio.run(place.volumes.create({"Name": "vol"}))
    with pytest.raises(Conflict, match="the driver local has a volume of that name"):
        asyncio.run(place.volumes.create({"Name": "vol", "Driver": "other"}))
