"""Images with fewer layers, that skopeo's and Docker's rules for histories hold of."""

from __future__ import annotations

import asyncio
import os

import pytest
from tests.root.images.conftest import Store, imported, tar

from wharf.errors import InvalidArgument
from wharf.images.check import Depth
from wharf.images.committing import CommitRequest
from wharf.images.record import ImageRecord
from wharf.images.squashing import SquashRequest, configuration
from wharf.lib.reference import parse_reference

pytestmark = pytest.mark.root


def commit(store: Store, parent: ImageRecord, number: int, **files: bytes) -> ImageRecord:
    """Put a layer on an image."""
    container = f"c{number}"
    store.snapshots.prepare(container, parent.chain_id)
    upper = store.data.container(container) / "upper"
    for name, content in files.items():
        (upper / name).write_bytes(content)
    request = CommitRequest(
        parent=parent,
        changes=lambda: store.snapshots.changes(container, parent.chain_id),
        execution={"Cmd": [str(number)]},
        created_by=f"step {number}",
    )
    image = asyncio.run(store.images.commit(request))
    store.snapshots.discard(container)
    return image


@pytest.fixture
def stack(store: Store) -> list[ImageRecord]:
    asyncio.run(store.images.start())
    base_id = asyncio.run(imported(store, tar(a=b"base", b=b"base"), "base:1"))
    found = [store.images.resolve(base_id)]
    for number in range(1, 4):
        found.append(commit(store, found[-1], number, a=b"%d" % number, **{f"f{number}": b"x" * 1000}))
    return found


def squashed(store: Store, image: ImageRecord, base: str | None) -> ImageRecord:
    below = store.images.resolve(base) if base else None
    return asyncio.run(store.images.layers.squash(SquashRequest(image, below, [parse_reference("flat:1")])))


def content(store: Store, image: ImageRecord) -> dict[str, bytes]:
    with store.snapshots.open_image(image.chain_id) as root:
        assert root is not None
        return {name: os.read(os.open(name, os.O_RDONLY, dir_fd=root), 9999) for name in sorted(os.listdir(root))}


def test_layers_above_a_base_become_one(store: Store, stack: list[ImageRecord]) -> None:
    one = squashed(store, stack[-1], "base:1")

    assert one.diff_ids[0] == stack[0].diff_ids[0]
    assert len(one.diff_ids) == 2
    assert content(store, one) == content(store, stack[-1])
    assert one.config["config"] == {"Cmd": ["3"]}
    assert one.tags == ["flat:1"]
    made_of = [step.get("empty_layer", False) for step in one.config["history"]]
    assert made_of == [False, True, True, True, False]
    assert one.size_bytes == stack[0].size_bytes + 3001


def test_all_layers_become_one(store: Store, stack: list[ImageRecord]) -> None:
    one = squashed(store, stack[-1], None)

    assert len(one.diff_ids) == 1
    assert content(store, one) == content(store, stack[-1])
    assert one.size_bytes == 1 + len("base") + 3000


def test_what_images_share_is_what_is_left_of_the_base(store: Store, stack: list[ImageRecord]) -> None:
    squashed(store, stack[-1], "base:1")

    shared = {item["Id"]: item["SharedSize"] for item in asyncio.run(store.images.list(shared_size=True))}
    flat = store.images.resolve("flat:1")
    assert shared[flat.id] == stack[0].size_bytes
    assert shared[stack[-1].id] == stack[-2].size_bytes


def test_a_squashed_image_is_whole_and_leaves_nothing_else(store: Store, stack: list[ImageRecord]) -> None:
    squashed(store, stack[-1], None)

    async def check() -> list[object]:
        return [finding async for finding in store.images.check(Depth())]

    assert asyncio.run(check()) == []
    assert list(store.data.ingest.iterdir()) == []


def test_a_base_that_is_none_is_refused(store: Store, stack: list[ImageRecord]) -> None:
    asyncio.run(imported(store, tar(other=b"1"), "other:1"))
    with pytest.raises(InvalidArgument, match="does not lie on"):
        squashed(store, stack[-1], "other:1")
    with pytest.raises(InvalidArgument, match="no layers to be made one"):
        squashed(store, stack[0], "base:1")


def test_steps_tell_which_of_them_have_the_layer(stack: list[ImageRecord]) -> None:
    document = configuration(SquashRequest(stack[-1], None, comment="why"), [], 0, "now")

    assert [step.get("empty_layer") for step in document["history"]][:4] == [True] * 4
    assert document["history"][-1]["comment"] == "why"
