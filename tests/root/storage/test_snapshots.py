from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.contract.storage.snapshotter import SnapshotterContract, Transaction

from wharf.kernel import mount
from wharf.storage import trees
from wharf.storage.layout import DataRoot
from wharf.storage.metadata import Database
from wharf.storage.overlay_marks import make_whiteout
from wharf.storage.snapshots import Snapshots

pytestmark = pytest.mark.root


@pytest.fixture
def snapshotter(snapshots: Snapshots) -> Snapshots:
    return snapshots


@pytest.fixture
def transaction(database: Database) -> Transaction:
    return database.transaction


def mounted(options: list[str]) -> int:
    """Mount as the runtime does: option by option."""
    fs = mount.fsopen("overlay")
    try:
        for option in options:
            key, _, value = option.partition("=")
            mount.set_string(fs, key, value)
        mount.create(fs)
        fd = mount.fsmount(fs)
    finally:
        os.close(fs)
    try:
        return os.open(".", trees.FOLDER, dir_fd=fd)
    finally:
        os.close(fd)


add = SnapshotterContract().add


class TestSnapshots:
    @pytest.mark.parametrize("names", [("a",), ("a", "b", "c")])
    def test_a_root_mounts_with_its_own_layer_on_top(
        self, names: tuple[str, ...], snapshotter: Snapshots, transaction: Transaction, data: DataRoot
    ) -> None:
        chain = add(snapshotter, transaction, *names)
        snapshotter.prepare("c1")
        described = snapshotter.mount_of("c1", chain[-1])
        # the mount itself is private to this test, and goes with its descriptor
        root = mounted(described["options"])
        try:
            with os.fdopen(os.open("new", os.O_CREAT | os.O_WRONLY, dir_fd=root), "w") as file:
                file.write("12345")
            os.unlink("a", dir_fd=root)
            left = sorted(os.listdir(root))
        finally:
            os.close(root)

        assert left == sorted({*names, "new"} - {"a"})
        assert (snapshotter.size_of("c1"), described["type"]) == (5, "overlay")
        assert sorted(os.listdir(data.container("c1") / "upper")) == ["a", "new"]
        snapshotter.discard("c1")
        assert (snapshotter.container_ids(), os.listdir(data.ingest)) == ([], [])

    def test_a_root_without_layers_is_the_containers_own(self, snapshotter: Snapshots, data: DataRoot) -> None:
        snapshotter.prepare("c1")

        assert snapshotter.mount_of("c1", "") == {
            "type": "bind",
            "source": str(data.container("c1") / "upper"),
            "options": ["bind", "private"],
        }

    def test_an_image_is_opened_with_its_deletions(self, snapshotter: Snapshots, transaction: Transaction) -> None:
        chain = add(snapshotter, transaction, "a", "b")
        upper = os.open(snapshotter.lower_dirs(chain[-1])[0], trees.FOLDER)
        make_whiteout(b"a", upper)
        os.close(upper)
        with snapshotter.open_image(chain[-1]) as root:
            assert root is not None
            assert os.listdir(root) == ["b"]
            with pytest.raises(OSError, match="Read-only"):
                os.mkdir("new", dir_fd=root)
        with snapshotter.open_image("") as nothing:
            assert nothing is None

    def test_a_sweep_removes_what_has_no_record(
        self, snapshotter: Snapshots, transaction: Transaction, data: DataRoot
    ) -> None:
        [kept] = add(snapshotter, transaction, "a")
        (data.snapshots / ("f" * 64) / "fs").mkdir(parents=True)
        (data.ingest / "half" / "fs").mkdir(parents=True)
        snapshotter.sweep()

        assert [p.name for p in data.snapshots.iterdir()] == [kept.removeprefix("sha256:")]
        assert list(data.ingest.iterdir()) == []


def test_a_tree_deeper_than_any_path_is_measured_and_removed(tmp_path: Path) -> None:
    (tmp_path / "trash").mkdir()
    script = (
        "import os\nos.chdir(%r)\nfor _ in range(3000):\n os.mkdir('dd'); os.chdir('dd')\nopen('f','w').write('xyz')"
    )
    (tmp_path / "deep").mkdir()
    subprocess.run(["python3", "-c", script % str(tmp_path / "deep")], check=True)

    assert trees.usage(tmp_path / "deep") == 3
    trees.remove(tmp_path / "deep", tmp_path / "trash")
    assert sorted(os.listdir(tmp_path)) == ["trash"]
    assert os.listdir(tmp_path / "trash") == []


def test_removal_does_not_follow_symlinks(tmp_path: Path) -> None:
    for name in ("trash", "kept", "gone"):
        (tmp_path / name).mkdir()
    (tmp_path / "kept/f").write_text("x")
    (tmp_path / "gone/link").symlink_to(tmp_path / "kept")
    trees.remove(tmp_path / "gone", tmp_path / "trash")

    assert (tmp_path / "kept/f").read_text() == "x"


def test_a_file_with_two_names_counts_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    os.link(tmp_path / "a", tmp_path / "b")

    assert trees.usage(tmp_path) == 10
