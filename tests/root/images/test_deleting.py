"""One platform's image of several is removed: the others stay, and nothing of it does."""

from __future__ import annotations

import asyncio

import pytest
from tests.root.images.conftest import Store, loaded
from tests.root.images.test_indexes import OTHER, two_platforms

from wharf.errors import Conflict, NotFound
from wharf.images.check import Depth
from wharf.images.platform import host
from wharf.images.removal import ImageUse
from wharf.lib.digest import Digest

pytestmark = pytest.mark.root
OWN = str(host())


@pytest.fixture
def many(store: Store) -> Store:
    layout, index = two_platforms()
    asyncio.run(store.images.start())
    asyncio.run(loaded(store, layout.archive(index)))
    return store


def gone(store: Store, *platforms: str, force: bool = False, **more: object) -> list[object]:
    deleted = asyncio.run(store.images.remove("many:1", platforms=platforms, force=force, **more))  # type: ignore[arg-type]  # of a test
    return [item.get("Deleted") or item.get("Untagged") for item in deleted]


def problems(store: Store) -> list[object]:
    async def check() -> list[object]:
        return [finding async for finding in store.images.check(Depth())]

    return asyncio.run(check())


def test_the_other_platform_keeps_the_name(many: Store) -> None:
    own, other = many.images.resolve("many:1"), many.images.resolve("many:1", f"linux/{OTHER}")
    removed = gone(many, OWN)

    assert removed[0] == own.id
    assert many.images.resolve("many:1").id == other.id
    layer = Digest(own.manifest["layers"][0]["digest"])
    assert not any(map(many.content.exists, (own.manifest_digest, own.id, layer)))
    asyncio.run(many.reopen())
    assert many.images.resolve("many:1").tags == ["many:1"]
    assert problems(many) == []


def test_a_sibling_goes_and_the_image_stays(many: Store) -> None:
    own = many.images.resolve("many:1")
    gone(many, f"linux/{OTHER}")

    assert many.images.resolve("many:1").id == own.id
    with pytest.raises(NotFound, match="does not provide the specified platform"):
        many.images.resolve("many:1", f"linux/{OTHER}")


def test_with_the_last_platform_goes_the_name(many: Store) -> None:
    assert "many:1" in gone(many, OWN, f"linux/{OTHER}")

    assert asyncio.run(many.images.list()) == []
    assert list(many.content.digests()) == []


def test_a_platform_that_is_not_there_removes_none(many: Store) -> None:
    with pytest.raises(NotFound, match="does not provide the specified platform"):
        gone(many, OWN, "linux/s390x")

    assert many.images.resolve("many:1", OWN)


def test_what_a_container_uses_is_kept(many: Store) -> None:
    other = many.images.resolve("many:1", f"linux/{OTHER}")

    def uses(image_id: str) -> list[ImageUse]:
        return [ImageUse("c" * 64, running=False)] if image_id == other.id else []

    with pytest.raises(Conflict, match="used by stopped container"):
        gone(many, f"linux/{OTHER}", in_use=uses)
    assert gone(many, f"linux/{OTHER}", in_use=uses, force=True)


def test_an_image_with_a_name_of_its_own_is_kept(many: Store) -> None:
    other = many.images.resolve("many:1", f"linux/{OTHER}")
    asyncio.run(many.images.tag(other.id, repository="alone", tag="1"))

    with pytest.raises(Conflict, match="alone:1 names it alone"):
        gone(many, f"linux/{OTHER}")
