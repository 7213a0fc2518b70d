"""What is kept besides the images themselves."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.root.images.conftest import Store, imported, tar
from tests.root.images.test_indexes import two_platforms

from wharf.images.reach import Reach
from wharf.lib.digest import Digest

pytestmark = pytest.mark.root

NOW = "2023-11-14T22:13:20Z"


@pytest.fixture
def reach(store: Store) -> Reach:
    return Reach(store.database, store.content, store.snapshots)


def begun(store: Store, reach: Reach) -> tuple[Digest, set[str]]:
    """An index of which all is stored but one blob, as a pull leaves it that was killed."""
    layout, index = two_platforms()
    missing = next(iter(layout.blobs))
    for digest, data in layout.blobs.items():
        if digest != missing:
            store.content.add(data)
    reach.begin(Digest(str(index["digest"])), NOW)
    return Digest(str(index["digest"])), set(layout.blobs)


def test_what_an_unfinished_pull_has_got_survives_a_start(store: Store, reach: Reach) -> None:
    _, blobs = begun(store, reach)
    asyncio.run(store.images.start())

    assert len(set(store.content.digests()) & blobs) == len(blobs) - 1
    assert reach.wanted() == blobs


def test_a_pull_given_up_a_day_ago_is_forgotten(store: Store, reach: Reach) -> None:
    digest, _ = begun(store, reach)
    reach.begin(digest, "2023-11-13T22:13:19Z")
    asyncio.run(store.images.start())

    assert list(store.content.digests()) == []


def test_pruning_forgets_what_pulls_have_left(store: Store, reach: Reach) -> None:
    begun(store, reach)
    asyncio.run(store.images.start())
    freed = asyncio.run(store.images.prune({}))["SpaceReclaimed"]

    assert list(store.content.digests()) == []
    assert isinstance(freed, int)
    assert freed > 1000


def test_layers_that_are_held_outlive_their_image_until_they_are_released(store: Store) -> None:
    asyncio.run(imported(store, tar(f=b"1"), "a"))
    record = store.images.resolve("a")
    with store.images.hold(record):
        asyncio.run(store.images.remove("a"))
        assert store.snapshots.exists(record.chain_id)

    asyncio.run(store.images.release(record.chain_id))
    assert not store.snapshots.exists(record.chain_id)


def test_holds_of_many_threads_are_all_counted(reach: Reach) -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)

    def hold(own: int) -> None:
        for turn in range(2000):
            with reach.hold(["shared", f"{own}-{turn}"]):
                reach.blobs([])

    try:
        with reach.hold(["shared"]), ThreadPoolExecutor(4) as threads:
            list(threads.map(hold, range(4)))
            assert reach.blobs([]) == {"shared"}
    finally:
        sys.setswitchinterval(before)
    assert reach.blobs([]) == set()
