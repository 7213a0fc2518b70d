from __future__ import annotations

import asyncio

import pytest
from tests.root.images.conftest import Store, imported, tar

from wharf.errors import InvalidArgument
from wharf.images.names import enter_name, read_names
from wharf.lib.reference import parse_reference

pytestmark = pytest.mark.root


def test_names_are_read_all_or_those_that_are_asked_for(store: Store) -> None:
    for name in ("b", "a"):
        asyncio.run(imported(store, tar(f=name.encode()), name))
    first, second = "docker.io/library/a:latest", "docker.io/library/b:latest"

    assert [name for name, _ in read_names(store.database, None)] == [first, second]
    assert [name for name, _ in read_names(store.database, {second, "docker.io/library/c:latest"})] == [second]
    [(_, named)] = read_names(store.database, {first})
    assert (named.target, named.image_id) == (named.manifest_digest, store.images.resolve("a").id)


def test_a_repository_alone_names_nothing(store: Store) -> None:
    with pytest.raises(InvalidArgument, match="invalid reference format"), store.database.transaction() as db:
        enter_name(db, parse_reference("app"), "sha256:00", "2026-01-01T00:00:00Z", None)
