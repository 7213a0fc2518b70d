"""The catalog in memory follows each change by reading only what changed; here it is compared with one read anew."""

from __future__ import annotations

import asyncio
import json
import random

import pytest
from tests.root.images.conftest import Store, imported, loaded, tar
from tests.root.images.test_indexes import OTHER, two_platforms

from wharf.errors import Conflict, NotFound
from wharf.images.catalog import Catalog

pytestmark = pytest.mark.root

_NAMES = ("a", "b", "c", "many")
_NOW = "2026-01-01T00:00:00Z"


def _seen(catalog: Catalog) -> dict[str, object]:
    records = {record.id: (record.references, record.tagged_at, record.held) for record in catalog.all()}
    return {"records": records, "names": list(catalog.names().items())}


def _afresh(store: Store) -> Catalog:
    catalog = Catalog(store.database, store.content, store.snapshots)
    catalog.load(_NOW)
    return catalog


async def _change(store: Store, chance: random.Random) -> None:
    """Do one thing; that it is refused is as good as any."""
    name, other = (f"{chance.choice(_NAMES)}:{chance.randrange(2)}" for _ in range(2))
    match chance.randrange(5):
        case 0:
            await imported(store, tar(f=name.encode()), name.partition(":")[0], tag=name[-1])
        case 1:
            layout, index = two_platforms()
            await loaded(store, layout.archive(index))
        case 2:
            await store.images.tag(name, repository=other.partition(":")[0], tag=other[-1])
        case 3:
            await store.images.remove(name, force=chance.random() < 0.3)
        case 4:
            await store.images.remove(name, platforms=[f"linux/{OTHER}"])


@pytest.mark.parametrize("seed", range(3))
def test_after_each_change_it_is_as_if_read_anew(store: Store, seed: int) -> None:
    chance, catalog = random.Random(seed), store.images._catalog  # what is tested
    done = 0

    async def main() -> None:
        nonlocal done
        for _ in range(40):
            try:
                await _change(store, chance)
                done += 1
            except (NotFound, Conflict):
                continue
            assert not catalog.index_problem()
            assert _seen(catalog) == _seen(_afresh(store))

    asyncio.run(main())
    assert done > 10


def test_the_list_for_other_tools_is_written_with_each_change(store: Store) -> None:
    def listed() -> list[tuple[str, str]]:
        document = json.loads((store.content.root / "index.json").read_text())
        return [(m["annotations"]["org.opencontainers.image.ref.name"], m["digest"]) for m in document["manifests"]]

    async def main() -> list[list[tuple[str, str]]]:
        found = []
        await imported(store, tar(f=b"1"), "a")
        found.append(listed())
        await store.images.tag("a", repository="b", tag=None)
        found.append(listed())
        await store.images.remove("a")
        found.append(listed())
        return found

    one, two, three = asyncio.run(main())
    digest = one[0][1]

    assert one == [("docker.io/library/a:latest", digest)]
    assert two == [*one, ("docker.io/library/b:latest", digest)]
    assert three == two[1:]
