from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from tests.root.volumes.place import Place

from wharf.errors import Conflict, InvalidArgument, NotFound
from wharf.volumes.drivers import is_mounted
from wharf.volumes.volumes import ANONYMOUS, Volumes

pytestmark = pytest.mark.root


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
    assert asyncio.run(place.volumes.prune({"all": ["true"]}, lambda _: ["c"]))["VolumesDeleted"] == []
    assert asyncio.run(place.volumes.prune({"all": ["true"]}))["VolumesDeleted"] == ["vol"]


def test_only_volumes_nobody_named_go_with_their_container(place: Place) -> None:
    for name, labels in (("named", {}), ("anonymous", {ANONYMOUS: ""})):
        asyncio.run(place.volumes.create({"Name": name, "Labels": labels}))
        asyncio.run(place.volumes.remove_if_anonymous(name))

    assert names(place) == ["named"]


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
