from __future__ import annotations

import asyncio
import io
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.root.engine.plugins import made

from wharf.engine.plugins import folder
from wharf.errors import InvalidArgument
from wharf.images.bridge import Blocking
from wharf.images.record import parse_manifest
from wharf.lib.digest import hex_of
from wharf.storage.layout import DataRoot

pytestmark = pytest.mark.root


@contextmanager
def _draft(data: DataRoot) -> Iterator[Path]:
    with asyncio.Runner() as runner:
        draft = folder.draft(data, Blocking())
        place = runner.run(draft.__aenter__())
        try:
            yield place
        finally:
            runner.run(draft.__aexit__(None, None, None))


def _keep(data: DataRoot, plugin_id: str) -> folder.Made:
    with _draft(data) as place:
        kept = folder.from_archive(io.BytesIO(made.archive()), place)
        folder.keep(data, plugin_id, place, kept.manifest)
    return kept


def test_what_is_kept_can_be_unpacked_again_from_its_blobs(tmp_path: Path) -> None:
    data = DataRoot(tmp_path)
    kept = _keep(data, "one")
    image = folder.image_of(data, "one", kept.manifest)
    manifest = parse_manifest((image / folder.MANIFEST).read_bytes())

    with _draft(data) as place:
        for layer in manifest["layers"]:
            (place / hex_of(layer["digest"])).write_bytes((image / hex_of(layer["digest"])).read_bytes())
        folder.unpack_blobs(place, manifest["layers"])
        again = sorted(path.relative_to(place) for path in (place / "rootfs").rglob("*"))

    assert again == sorted(path.relative_to(image) for path in (image / "rootfs").rglob("*"))
    assert [*data.ingest.iterdir()] == []


def test_layers_lie_on_each_other(tmp_path: Path) -> None:
    with _draft(DataRoot(tmp_path)) as place:
        layers = []
        for number, names in enumerate((["a", "b"], [".wh.a", "c"])):
            archive = io.BytesIO()
            with tarfile.open(fileobj=archive, mode="w") as tar:
                for name in names:
                    tar.addfile(tarfile.TarInfo(name))
            (place / str(number)).write_bytes(archive.getvalue())
            layers.append({"digest": f"sha256:{number}"})
        folder.unpack_blobs(place, layers)  # type: ignore[arg-type]  # as much of descriptors as it looks at

        assert sorted(os.listdir(place / "rootfs")) == ["b", "c"]


@pytest.mark.parametrize("name", ["config.json", "rootfs"])
def test_links_are_not_taken_for_what_they_lead_to(tmp_path: Path, name: str) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        if name == "rootfs":
            with tarfile.open(fileobj=io.BytesIO(made.archive(rootfs=False))) as whole:
                tar.addfile(whole.getmember("config.json"), whole.extractfile("config.json"))
        link = tarfile.TarInfo(name)
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/hosts" if name == "config.json" else "/etc"
        tar.addfile(link)

    with _draft(DataRoot(tmp_path)) as place, pytest.raises(InvalidArgument, match="found"):
        folder.from_archive(io.BytesIO(archive.getvalue()), place)


def test_what_belongs_to_no_plugin_is_swept(tmp_path: Path) -> None:
    data = DataRoot(tmp_path)
    kept = _keep(data, "one")
    _keep(data, "two")
    image = folder.image_of(data, "one", kept.manifest)
    (image.parent / ("0" * 64)).mkdir()
    (image.parent / folder.PROPAGATED).mkdir()

    folder.sweep(data, [("one", kept.manifest)])

    assert os.listdir(data.plugins) == ["one"]
    assert sorted(os.listdir(image.parent)) == sorted([image.name, folder.PROPAGATED])


def test_an_image_is_exchanged_for_the_same_one_with_a_fresh_root(tmp_path: Path) -> None:
    data = DataRoot(tmp_path)
    kept = _keep(data, "one")
    root = folder.image_of(data, "one", kept.manifest) / folder.ROOTFS
    (root / "written").touch()

    _keep(data, "one")

    assert "written" not in os.listdir(root)
    assert "keeper.py" in os.listdir(root)
