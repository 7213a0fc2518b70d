from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from tests.root.images.conftest import Store, imported, tar

from wharf.images.committing import CommitRequest
from wharf.lib.reference import parse_reference

pytestmark = pytest.mark.root


@pytest.fixture
def upper(tmp_path: Path) -> Path:
    """What a container changed: one file new, one deleted."""
    folder = tmp_path / "upper"
    folder.mkdir()
    (folder / "new").write_text("new")
    os.mknod(folder / "gone", 0o020000, 0)
    return folder


def given(folder: Path) -> Callable[[], AbstractContextManager[Path]]:
    return lambda: nullcontext(folder)


def test_a_commit_puts_one_layer_on_the_image(store: Store, upper: Path) -> None:
    asyncio.run(imported(store, tar(gone=b"1", kept=b"2"), "base", changes=["ENV A=b"]))
    parent = store.images.resolve("base")
    reference = parse_reference("made:1")

    made = asyncio.run(
        store.images.commit(
            CommitRequest(
                parent, given(upper), {"Cmd": ["sh"]}, reference, author="me", comment="why", created_by="touch new"
            )
        )
    )

    assert store.images.resolve("made:1").id == made.id
    assert made.diff_ids[:-1] == parent.diff_ids
    assert made.config["config"] == {"Cmd": ["sh"]}
    history = asyncio.run(store.images.history("made:1"))
    assert (history[0].get("CreatedBy"), history[0].get("Comment"), len(history)) == ("touch new", "why", 2)
    with store.snapshots.open_image(made.chain_id) as fd:
        assert fd is not None
        assert sorted(os.listdir(fd)) == ["kept", "new"]


def test_a_commit_without_an_image_has_one_layer(store: Store, upper: Path) -> None:
    made = asyncio.run(store.images.commit(CommitRequest(None, given(upper), {})))

    assert (len(made.diff_ids), made.references) == (1, ())


def test_layers_shared_with_a_parent_that_goes_stay(store: Store, upper: Path) -> None:
    asyncio.run(imported(store, tar(kept=b"2"), "base"))
    asyncio.run(
        store.images.commit(
            CommitRequest(store.images.resolve("base"), given(upper), {}, parse_reference("made:latest"))
        )
    )
    asyncio.run(store.images.remove("base"))

    made = store.images.resolve("made:latest")
    assert len(store.snapshots.lower_dirs(made.chain_id)) == 2
    assert all(store.content.exists(layer["digest"]) for layer in made.manifest["layers"])  # type: ignore[arg-type]
