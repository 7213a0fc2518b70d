from __future__ import annotations

import asyncio
import json
import os
import re
from contextlib import aclosing, suppress
from pathlib import Path

import pytest
from tests.root.images.conftest import Store, imported, tar
from tests.root.mounts import unchanged
from tests.root.wharfd import until

from wharf.errors import Conflict, InvalidArgument
from wharf.images import debian
from wharf.images.deleting import Uses
from wharf.images.removal import ImageUse

pytestmark = pytest.mark.root


_ENDLESS = """#!/bin/sh
for word; do case "$word" in --logfile=*) log=${word#--logfile=} ;; esac; done
mkdir "${log%/log}/root" && mount -t tmpfs none "${log%/log}/root"
setsid sh -c 'trap "" TERM; echo "I: begun" > "$1"; sleep 1000' sh "$log" &
wait
"""  # as apt runs dpkg: in a session of its own


@pytest.fixture
def one(store: Store) -> str:
    return asyncio.run(imported(store, tar(f=b"one"), "one"))


def names(store: Store, **filters: list[str]) -> list[str]:
    found = asyncio.run(store.images.list(filters=filters))
    return sorted(tag for item in found for tag in item.get("RepoTags") or ["-"])


def test_filters_choose(store: Store, one: str) -> None:
    asyncio.run(imported(store, tar(f=b"two"), "me/two", tag="1", changes=["LABEL a=b"]))
    asyncio.run(imported(store, tar(f=b"three")))

    assert names(store) == ["-", "me/two:1", "one:latest"]
    assert names(store, dangling=["true"]) == ["-"]
    assert names(store, dangling=["false"], label=["a"]) == ["me/two:1"]
    assert names(store, reference=["me/*"]) == ["me/two:1"]
    assert names(store, reference=["*"]) == ["one:latest"]
    with pytest.raises(InvalidArgument, match=r"^invalid filter 'colour'$"):
        names(store, colour=["red"])


def test_tagging_moves_a_name(store: Store, one: str) -> None:
    two = asyncio.run(imported(store, tar(f=b"two"), "two"))
    asyncio.run(store.images.tag("two", repository="one", tag=None))

    assert store.images.resolve("one").id == two
    assert asyncio.run(store.images.inspect(one)).get("RepoTags") == []


def test_the_index_names_every_reference(store: Store, one: str) -> None:
    asyncio.run(store.images.tag("one", repository="host:5000/a/b", tag="x"))
    index = json.loads((store.data.content / "index.json").read_text())

    assert sorted(m["annotations"]["org.opencontainers.image.ref.name"] for m in index["manifests"]) == [
        "docker.io/library/one:latest",
        "host:5000/a/b:x",
    ]
    assert {m["size"] for m in index["manifests"]} == {
        store.content.size(store.images.resolve("one").manifest_digest)
    }


def test_the_last_reference_takes_the_image_with_it(store: Store, one: str) -> None:
    asyncio.run(store.images.tag("one", repository="two", tag="b"))

    assert asyncio.run(store.images.remove("one")) == [{"Untagged": "one:latest"}]
    deleted = asyncio.run(store.images.remove("two:b"))
    assert deleted[:2] == [{"Untagged": "two:b"}, {"Deleted": one}]
    assert store.leftovers() == []


def test_an_id_with_names_in_two_repositories_needs_force(store: Store, one: str) -> None:
    asyncio.run(store.images.tag("one", repository="two", tag="b"))
    text = f"conflict: unable to delete {one[7:19]} (must be forced) - image is referenced in multiple repositories"
    with pytest.raises(Conflict, match=f"^{re.escape(text)}$"):
        asyncio.run(store.images.remove(one))

    assert {"Deleted": one} in asyncio.run(store.images.remove(one[:15], force=True))


def test_an_image_in_use_is_not_removed(store: Store, one: str) -> None:
    def stopped(_id: str) -> list[ImageUse]:
        return [ImageUse("c" * 64, running=False)]

    def running(_id: str) -> list[ImageUse]:
        return [ImageUse("c" * 64, running=True)]

    for name, use, force, text in (
        ("one", stopped, False, 'unable to remove repository reference "one" (must force) - container cccccccccccc'),
        (one, stopped, False, "(must be forced) - image is being used by stopped container cccccccccccc"),
        (one, running, True, "(cannot be forced) - image is being used by running container cccccccccccc"),
    ):
        with pytest.raises(Conflict, match=re.escape(text)):
            asyncio.run(store.images.remove(name, force=force, in_use=use))

    assert asyncio.run(store.images.remove("one", force=True, in_use=running)) == [{"Untagged": "one:latest"}]
    assert store.images.resolve(one).references == ()


def test_layers_under_a_container_stay_when_its_image_is_forced_away(store: Store, one: str) -> None:
    chain_id = store.images.resolve(one).chain_id
    with store.database.transaction() as db:
        db.execute("INSERT INTO containers VALUES ('c', 'n', '', ?, ?, '', '')", (one, chain_id))

    assert asyncio.run(store.images.remove(one, force=True))[-1] == {"Deleted": one}
    assert store.snapshots.lower_dirs(chain_id)[0].exists()
    with store.database.transaction() as db:
        db.execute("DELETE FROM containers")
    asyncio.run(store.images.start())
    assert store.leftovers() == []


def test_no_image_is_called_what_a_digest_begins_with(store: Store, one: str) -> None:
    with pytest.raises(InvalidArgument, match="refusing to create an ambiguous tag"):
        asyncio.run(store.images.tag(one, repository="sha256", tag="abc"))


def test_images_that_share_layers_keep_them(store: Store, one: str) -> None:
    two = asyncio.run(imported(store, tar(f=b"one"), "two", changes=["CMD x"]))
    asyncio.run(store.images.remove("one"))

    assert (store.snapshots.lower_dirs(store.images.resolve(two).chain_id)[0] / "f").read_bytes() == b"one"
    assert store.content.read(store.images.resolve(two).diff_ids[0]) == tar(f=b"one")


def test_pruning_takes_what_nothing_names_or_uses(store: Store, one: str) -> None:
    dangling = asyncio.run(imported(store, tar(f=b"22")))
    used = asyncio.run(imported(store, tar(f=b"333")))

    def uses(image_id: str) -> list[ImageUse]:
        return [ImageUse("c", running=False)] if image_id == used else []

    stored = sum(map(store.content.size, store.content.digests()))
    result = asyncio.run(store.images.prune({}, uses))
    freed = stored - sum(map(store.content.size, store.content.digests()))
    assert {"Deleted": dangling} in result["ImagesDeleted"]  # type: ignore[operator]
    assert result["SpaceReclaimed"] == 2 + freed  # unpacked, and as it came
    assert freed > 0
    everything = asyncio.run(store.images.prune({"dangling": ["false"]}, uses))
    assert {"Deleted": one} in everything["ImagesDeleted"]  # type: ignore[operator]
    assert [i.get("Id") for i in asyncio.run(store.images.list())] == [used]


def test_pruning_takes_names_that_no_container_has_off_an_image_in_use(store: Store, one: str) -> None:
    def uses(*names: str) -> Uses:
        return lambda _: [ImageUse("c", running=True, name=name) for name in names]

    def left(*names: str) -> list[str]:
        asyncio.run(store.images.prune({"dangling": ["false"]}, uses(*names)))
        return sorted(one.familiar for one in store.images.resolve(one).references)

    for tag in ("a", "b", "c"):
        asyncio.run(store.images.tag(one, repository="one", tag=tag))

    pruned = asyncio.run(store.images.prune({"dangling": ["true"]}, uses(one)))
    assert pruned["ImagesDeleted"] is None
    assert left("one:b", "one:latest", one) == ["one:b", "one:latest"]
    assert left(one[7:19]) == ["one:latest"]
    assert left("one") == ["one:latest"]


def test_an_inspection_names_the_folders_that_docker_names(store: Store, one: str) -> None:
    data = (asyncio.run(store.images.inspect(one)).get("GraphDriver") or {}).get("Data") or {}

    folder = store.snapshots.lower_dirs(store.images.resolve(one).chain_id)[0].parent
    assert data == {
        "MergedDir": f"{folder}/merged",
        "UpperDir": f"{folder}/fs",
        "WorkDir": f"{folder}/work",
    }


def test_a_store_that_is_opened_again_is_the_same(store: Store, one: str) -> None:
    before = asyncio.run(store.images.inspect("one"))
    again = Store(store.data.path)
    asyncio.run(again.images.start())

    assert asyncio.run(again.images.inspect("one")) == before
    asyncio.run(again.aclose())


def test_busybox_needs_no_registry_and_is_the_same_each_time(store: Store) -> None:
    async def bootstrap() -> list[object]:
        return [item["status"] async for item in store.images.bootstrap("busybox", reference="mine:1")]

    first = asyncio.run(bootstrap())

    assert first == asyncio.run(bootstrap())
    record = store.images.resolve("mine:1")
    root = store.snapshots.lower_dirs(record.chain_id)[0]
    assert (root / "bin/sh").samefile(root / "bin/busybox")
    assert (record.config.get("config") or {}).get("Cmd") == ["sh"]


def test_a_debian_that_nobody_waits_for_any_more_is_given_up_with_all_its_programs(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin/mmdebstrap"
    program.parent.mkdir()
    program.write_text(_ENDLESS)
    program.chmod(0o755)
    monkeypatch.setattr(debian, "_PATH", f"{program.parent}:{debian._PATH}")
    monkeypatch.setattr(debian, "host_sources", lambda suite: [])
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    async def leave() -> None:
        async with aclosing(store.images.bootstrap("debian:bookworm")) as told:
            assert (await anext(told))["status"] == "begun"

    with unchanged():
        asyncio.run(leave())

    assert store.leftovers() == []
    until(lambda: not _programs_at(store.data.path))


def _programs_at(path: Path) -> list[bytes]:
    """What runs with this path among its arguments: a dead process has none."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found.append(file.read_bytes())
    return [line for line in found if os.fsencode(path) in line]


@pytest.mark.parametrize(
    ("name", "include", "text"),
    [
        ("fedora", [], "known are busybox and debian:SUITE"),
        ("debian", [], "name a suite"),
        ("debian:Book worm", [], "invalid reference format"),
        ("debian:-x", [], "invalid reference format"),
        ("debian:bookworm", ["--evil"], "not the name of a Debian package"),
        ("debian:bookworm", ["a;b"], "not the name of a Debian package"),
        ("busybox", ["curl"], "takes no packages"),
    ],
)
def test_a_base_that_cannot_be_made_is_refused(store: Store, name: str, include: list[str], text: str) -> None:
    async def bootstrap() -> None:
        async for _ in store.images.bootstrap(name, include=include):
            pass

    with pytest.raises(InvalidArgument, match=text):
        asyncio.run(bootstrap())
    assert store.leftovers() == []
