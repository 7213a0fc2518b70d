"""Finding images by what people call them."""

from __future__ import annotations

import asyncio

import pytest
from tests.root.images.conftest import Store, imported, tar

from wharf.errors import InvalidArgument, NotFound

pytestmark = pytest.mark.root


@pytest.fixture
def one(store: Store) -> str:
    return asyncio.run(imported(store, tar(f=b"one"), "one"))


@pytest.mark.parametrize("name", ["nope", "nope:1", "docker.io/library/nope"])
def test_a_missing_image_is_named_as_docker_names_it(store: Store, one: str, name: str) -> None:
    tag = "nope:1" if name.endswith(":1") else "nope:latest"
    with pytest.raises(NotFound, match=f"^No such image: {tag}$"):
        store.images.resolve(name)


@pytest.mark.parametrize("name", ["", "UPPER", "a b", "a:", "a@b", "/a"])
def test_a_malformed_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid reference format"):
        store.images.resolve(name)


def test_an_image_is_found_by_every_name_it_has(store: Store, one: str) -> None:
    digest = store.images.resolve("one").manifest_digest
    spellings = [
        "one",
        "one:latest",
        "docker.io/library/one",
        one,
        one[7:],
        one[7:19],
        one[:20],
        digest,
        f"one@{digest}",
    ]

    assert {store.images.resolve(name).id for name in spellings} == {one}
