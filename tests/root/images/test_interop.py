"""skopeo and podman read what we write, and write what we read; digests are equal on both sides."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.root.images.conftest import Store, chunks, imported, loaded, saved, tar

from wharf.images.record import ImageRecord
from wharf.lib.digest import digest_of

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(
        shutil.which("skopeo") is None or shutil.which("podman") is None, reason="skopeo or podman is not installed"
    ),
]
NAME = "example.test/group/name:1"


def run(*command: str | Path) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def record(store: Store) -> ImageRecord:
    """An image of two layers, one of them compressed, called NAME."""
    plain = tar(etc__hello=b"hello\n" * 1000, bin__sh=b"#!").rstrip(b"\0")
    # Ends with two blocks of zeros and no more: skopeo loses the rest when it writes zstd:chunked.
    archive = gzip.compress(plain + bytes(-len(plain) % 512 + 1024))
    asyncio.run(store.images.start())
    asyncio.run(imported(store, archive, NAME.removesuffix(":1"), tag="1", changes=["CMD sh"]))
    return store.images.resolve(NAME)


@pytest.fixture
def podman() -> Iterator[Callable[..., str]]:
    """Podman on a root of its own; its paths may not be long."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        options = ("--root", f"{folder}/p", "--runroot", f"{folder}/r", "--tmpdir", f"{folder}/t")

        def call(*arguments: str | Path) -> str:
            return run("podman", *options, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", *arguments)

        yield call


def other(tmp_path: Path) -> Store:
    store = Store(tmp_path / "other")
    asyncio.run(store.images.start())
    return store


def test_our_content_folder_is_an_image_layout(store: Store, record: ImageRecord) -> None:
    raw = run("skopeo", "inspect", "--raw", f"oci:{store.data.content}:{NAME}")
    config = json.loads(run("skopeo", "inspect", "--config", f"oci:{store.data.content}:{NAME}"))

    assert digest_of(raw.encode()) == record.manifest_digest
    assert config["rootfs"]["diff_ids"] == record.diff_ids


@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive"])
def test_skopeo_reads_our_archive(store: Store, record: ImageRecord, tmp_path: Path, transport: str) -> None:
    (tmp_path / "saved.tar").write_bytes(asyncio.run(saved(store, NAME)))
    run("skopeo", "copy", "-q", f"{transport}:{tmp_path}/saved.tar", f"dir:{tmp_path}/dir")
    manifest = json.loads((tmp_path / "dir/manifest.json").read_text())

    assert manifest["config"]["digest"] == record.id
    if transport == "oci-archive":
        assert digest_of((tmp_path / "dir/manifest.json").read_bytes()) == record.manifest_digest


@pytest.mark.parametrize("transport", ["docker-archive", "oci-archive"])
def test_we_read_skopeos_archive(store: Store, record: ImageRecord, tmp_path: Path, transport: str) -> None:
    run("skopeo", "copy", "-q", f"oci:{store.data.content}:{NAME}", f"{transport}:{tmp_path}/skopeo.tar:{NAME}")
    there = other(tmp_path)
    try:
        asyncio.run(loaded(there, (tmp_path / "skopeo.tar").read_bytes()))
        [found] = [there.images.resolve(str(one.get("Id"))) for one in asyncio.run(there.images.list())]

        assert (found.id, found.chain_id) == (record.id, record.chain_id)
        if transport == "oci-archive":
            assert found.manifest_digest == record.manifest_digest
        else:
            assert found.tags == [NAME]
    finally:
        asyncio.run(there.aclose())


@pytest.mark.parametrize("form", ["docker-archive", "oci-archive"])
def test_podman_reads_what_we_save_and_we_what_it_saves(
    store: Store, record: ImageRecord, podman: Callable[..., str], tmp_path: Path, form: str
) -> None:
    (tmp_path / "saved.tar").write_bytes(asyncio.run(saved(store, NAME)))
    podman("load", "-q", "-i", tmp_path / "saved.tar")
    seen = json.loads(podman("inspect", NAME))[0]
    podman("save", "-q", "--format", form, "-o", tmp_path / "podman.tar", NAME)
    there = other(tmp_path)
    try:
        asyncio.run(loaded(there, (tmp_path / "podman.tar").read_bytes()))
        found = there.images.resolve(NAME)

        assert f"sha256:{seen['Id']}" == found.id == record.id
        assert seen["RootFS"]["Layers"] == found.diff_ids == record.diff_ids
    finally:
        asyncio.run(there.aclose())


def test_an_image_layout_on_the_disk_is_loaded_as_its_archive(
    store: Store, record: ImageRecord, tmp_path: Path
) -> None:
    run("skopeo", "copy", "-q", f"oci:{store.data.content}:{NAME}", f"oci:{tmp_path}/layout:{NAME}")
    run("tar", "-C", tmp_path / "layout", "-cf", tmp_path / "layout.tar", ".")
    there = other(tmp_path)
    try:

        async def load() -> None:
            async for _ in there.images.load(chunks((tmp_path / "layout.tar").read_bytes())):
                pass

        asyncio.run(load())
        assert there.images.resolve(NAME).manifest_digest == record.manifest_digest
    finally:
        asyncio.run(there.aclose())


def test_zstd_layers_of_skopeo_keep_their_digest(store: Store, record: ImageRecord, tmp_path: Path) -> None:
    for form in ("zstd", "zstd:chunked"):
        done = subprocess.run(
            ["skopeo", "copy", "-q", "--dest-compress-format", form, "--dest-compress",
             f"oci:{store.data.content}:{NAME}", f"oci-archive:{tmp_path}/{form.replace(':', '-')}.tar:{NAME}"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"this skopeo does not write {form}: {done.stderr}")
        there = Store(tmp_path / form.replace(":", "-"))
        try:
            asyncio.run(there.images.start())
            asyncio.run(loaded(there, (tmp_path / f"{form.replace(':', '-')}.tar").read_bytes()))
            found = there.images.resolve(NAME)

            assert found.diff_ids == record.diff_ids
            assert "zstd" in found.manifest["layers"][0]["mediaType"]
        finally:
            asyncio.run(there.aclose())
