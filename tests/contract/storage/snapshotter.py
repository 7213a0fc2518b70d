"""What every Snapshotter does; a test module calls these with its own."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from wharf.errors import Conflict, DataLoss
from wharf.lib.digest import Digest, chain_ids, digest_of
from wharf.spec.shim_messages import RootfsMount
from wharf.storage import overlay_marks as marks
from wharf.storage.snapshotter import Snapshotter, Stage

Transaction = Callable[[], AbstractContextManager[sqlite3.Connection]]
Opened = Callable[[Snapshotter, str, str], AbstractContextManager[Path]]
"""Gives a container's root as a place where this process can work in it."""

Mounted = Callable[[RootfsMount], AbstractContextManager[Path]]
"""Mounts a root as the runtime does."""


class SnapshotterContract:
    """Inherit it, and provide the fixtures ``snapshotter``, ``transaction``, ``opened`` and ``mounted``."""

    def add(self, snapshotter: Snapshotter, transaction: Transaction, *names: str) -> list[Digest]:
        """Commit one layer a name, each on the one before, with one file of that name and content."""
        diff_ids = [digest_of(name.encode()) for name in names]
        chain = chain_ids(diff_ids)
        parent = None
        for name, diff_id, chain_id in zip(names, diff_ids, chain, strict=True):
            with snapshotter.stage() as stage:
                (stage.path / name).write_text(name)
                snapshotter.adopt(stage, chain_id)
            with transaction() as db:
                snapshotter.record(db, chain_id, parent=parent, diff_id=diff_id, size_bytes=len(name))
            parent = chain_id
        return chain

    def test_a_stage_that_is_not_adopted_goes(self, snapshotter: Snapshotter) -> None:
        with snapshotter.stage() as stage:
            path = stage.path
            (path / "f").write_text("x")

        assert not path.exists()

    def test_layers_are_given_uppermost_first(self, snapshotter: Snapshotter, transaction: Transaction) -> None:
        chain = self.add(snapshotter, transaction, "a", "b", "c")

        assert [next(p.iterdir()).name for p in snapshotter.lower_dirs(chain[-1])] == ["c", "b", "a"]

    def test_no_layer_has_no_folders(self, snapshotter: Snapshotter) -> None:
        assert snapshotter.lower_dirs("") == []

    def test_a_missing_layer_is_data_loss(self, snapshotter: Snapshotter) -> None:
        with pytest.raises(DataLoss, match="missing from the snapshots"):
            snapshotter.lower_dirs(digest_of(b"nothing"))

    def test_a_layer_that_exists_is_kept(self, snapshotter: Snapshotter, transaction: Transaction) -> None:
        [first] = self.add(snapshotter, transaction, "a")
        with snapshotter.stage() as stage:
            (stage.path / "other").write_text("x")
            snapshotter.adopt(stage, first)

        assert [p.name for p in snapshotter.lower_dirs(first)[0].iterdir()] == ["a"]

    def test_a_layer_below_another_cannot_be_removed(
        self, snapshotter: Snapshotter, transaction: Transaction
    ) -> None:
        lower, upper = self.add(snapshotter, transaction, "a", "bb")
        with pytest.raises(Conflict):
            snapshotter.remove(lower)

        assert (snapshotter.remove(upper), snapshotter.remove(lower), snapshotter.remove(lower)) == (2, 1, 0)

    def test_a_containers_layer_is_made_once_and_discarded(self, snapshotter: Snapshotter) -> None:
        snapshotter.prepare("c")
        with pytest.raises(Conflict):
            snapshotter.prepare("c")
        snapshotter.discard("c")
        snapshotter.discard("c")

        snapshotter.prepare("c")
        assert snapshotter.size_of("c") == 0
        snapshotter.discard("c")

    def image(self, snapshotter: Snapshotter, transaction: Transaction) -> Digest:
        """Commit two layers: the upper one deletes, replaces and hides some of what the lower one has."""
        diff_ids = [digest_of(b"lower"), digest_of(b"upper")]
        lower_id, upper_id = chain_ids(diff_ids)
        with snapshotter.stage() as stage:
            for name in ("kept/f", "replaced/inner", "hidden/below", "gone/f", "own/f"):
                (stage.path / name).parent.mkdir(exist_ok=True)
                (stage.path / name).write_text(f"lower {name}")
            os.link(stage.path / "kept/f", stage.path / "kept/same")
            os.chown(stage.path / "own/f", 1000, 1001)
            (stage.path / "own/f").chmod(0o4750)
            os.setxattr(stage.path / "own/f", "user.note", b"1")
            (stage.path / "link").symlink_to("kept/f")
            stage.path.chmod(0o751)
            snapshotter.adopt(stage, lower_id)
        with snapshotter.stage() as stage:
            (stage.path / "replaced").write_text("a file now")
            (stage.path / "hidden").mkdir()
            (stage.path / "hidden/above").write_text("new")
            fd = os.open(stage.path / "hidden", os.O_RDONLY | os.O_DIRECTORY)
            marks.mark_opaque(fd)
            os.close(fd)
            os.mknod(stage.path / "gone", stat.S_IFCHR, 0)
            stage.path.chmod(0o751)
            snapshotter.adopt(stage, upper_id)
        with transaction() as db:
            snapshotter.record(db, lower_id, parent=None, diff_id=diff_ids[0], size_bytes=1)
            snapshotter.record(db, upper_id, parent=lower_id, diff_id=diff_ids[1], size_bytes=1)
        return upper_id

    def test_a_root_shows_what_its_layers_make(
        self, snapshotter: Snapshotter, transaction: Transaction, opened: Opened
    ) -> None:
        top = self.image(snapshotter, transaction)
        snapshotter.prepare("c", top)
        with opened(snapshotter, "c", top) as root:
            names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
            status = (root / "own/f").stat()

            assert names == [
                "hidden", "hidden/above", "kept", "kept/f", "kept/same", "link", "own", "own/f", "replaced",
            ]  # fmt: skip
            assert (root / "replaced").read_text() == "a file now"
            assert os.readlink(root / "link") == "kept/f"
            assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (1000, 1001, 0o4750)
            assert os.getxattr(root / "own/f", "user.note") == b"1"
            assert (root / "kept/f").stat().st_ino == (root / "kept/same").stat().st_ino
            assert stat.S_IMODE(root.stat().st_mode) == 0o751
        snapshotter.discard("c")

    def test_what_a_container_does_not_touch_is_no_change_of_its(
        self, snapshotter: Snapshotter, transaction: Transaction
    ) -> None:
        top = self.image(snapshotter, transaction)
        snapshotter.prepare("c", top)
        with snapshotter.changes("c", top) as changes:
            assert list(changes.iterdir()) == []
        assert snapshotter.size_of("c", top) == 0
        snapshotter.discard("c")

    def test_changes_are_given_as_an_overlays_upper_folder(
        self, snapshotter: Snapshotter, transaction: Transaction, opened: Opened
    ) -> None:
        top = self.image(snapshotter, transaction)
        snapshotter.prepare("c", top)
        with opened(snapshotter, "c", top) as root:
            (root / "kept/new").write_text("12345")
            (root / "own/f").unlink()
            (root / "replaced").unlink()
            (root / "replaced").mkdir()
            (root / "replaced/again").write_text("1")
            with (root / "hidden/above").open("a") as file:
                file.write("er")
            (root / "kept").chmod(0o700)
        with snapshotter.changes("c", top) as changes:
            paths = [path for path in changes.rglob("*") if not path.name.startswith(".wh.")]
            found = {str(path.relative_to(changes)): path.lstat() for path in paths}

            assert sorted(found) == [
                "hidden", "hidden/above", "kept", "kept/new", "own", "own/f", "replaced", "replaced/again",
            ]  # fmt: skip
            assert [name for name, status in found.items() if marks.is_whiteout(status)] == ["own/f"]
            assert (changes / "hidden/above").read_text() == "newer"
            assert stat.S_IMODE(found["kept"].st_mode) == 0o700
        assert snapshotter.size_of("c", top) == 5 + 1 + 5
        snapshotter.discard("c")

    def test_containers_of_one_image_do_not_see_each_others_changes(
        self, snapshotter: Snapshotter, transaction: Transaction, opened: Opened
    ) -> None:
        top = self.image(snapshotter, transaction)
        for container in ("one", "other"):
            snapshotter.prepare(container, top)
        with opened(snapshotter, "one", top) as root:
            with (root / "kept/f").open("a") as file:
                file.write("!")
            (root / "hidden/above").unlink()
        with opened(snapshotter, "other", top) as root:
            assert (root / "kept/f").read_text() == "lower kept/f"
            assert (root / "hidden/above").exists()
        with snapshotter.open_image(top) as image:
            assert image is not None
            assert sorted(os.listdir(image)) == ["hidden", "kept", "link", "own", "replaced"]
        for container in ("one", "other"):
            snapshotter.discard(container)

    def keep(self, snapshotter: Snapshotter, transaction: Transaction, stage: Stage, top: Digest) -> Digest:
        """Commit a layer on others."""
        diff_id = digest_of(b"drafted")
        chain_id = chain_ids([top, diff_id])[-1]
        snapshotter.adopt(stage, chain_id)
        with transaction() as db:
            snapshotter.record(db, chain_id, parent=top, diff_id=diff_id, size_bytes=1)
        return chain_id

    def test_what_a_draft_changes_becomes_a_layer_on_those_below(
        self, snapshotter: Snapshotter, transaction: Transaction
    ) -> None:
        top = self.image(snapshotter, transaction)
        with snapshotter.draft(top) as draft:
            with draft.open() as root:
                times = os.stat("hidden/above", dir_fd=root)
                os.unlink("own/f", dir_fd=root)
                with open(f"/proc/self/fd/{root}/hidden/above", "w") as file:  # of the same size, and as old
                    file.write("NEW")
                os.utime("hidden/above", ns=(times.st_atime_ns, times.st_mtime_ns), dir_fd=root)
            with draft.layer() as stage:
                names = sorted(str(path.relative_to(stage.path)) for path in stage.path.rglob("*"))
                made = self.keep(snapshotter, transaction, stage, top)

        assert names == ["hidden", "hidden/above", "own", "own/f"]
        with snapshotter.open_image(made) as image:
            assert image is not None
            assert Path(f"/proc/self/fd/{image}/hidden/above").read_text() == "NEW"
            assert (os.listdir(f"/proc/self/fd/{image}/own"), len(snapshotter.lower_dirs(made))) == ([], 3)
        snapshotter.remove(made)

    def test_a_draft_of_which_nothing_is_kept_goes(self, snapshotter: Snapshotter, transaction: Transaction) -> None:
        top = self.image(snapshotter, transaction)
        with snapshotter.draft(top) as draft, draft.open() as root:
            os.mkdir("new", dir_fd=root)
            folder = draft.folder

        assert not folder.exists()

    def test_what_a_killed_process_left_of_a_draft_is_swept(
        self, snapshotter: Snapshotter, transaction: Transaction, mounted: Mounted
    ) -> None:
        top = self.image(snapshotter, transaction)
        with snapshotter.draft(top) as draft, snapshotter.combined([*snapshotter.lower_dirs(top)]):
            ingest = draft.folder.parent
            (draft.folder / "floor").mkdir()
            with mounted(draft.mount(draft.folder / "floor")) as root:
                (root / "new").touch()
            snapshotter.sweep()

            assert os.listdir(ingest) == []
            assert f"{ingest}/" not in Path("/proc/self/mountinfo").read_text()
        with snapshotter.open_image(top) as image:
            assert image is not None
            assert sorted(os.listdir(image)) == ["hidden", "kept", "link", "own", "replaced"]

    def test_the_floor_of_a_draft_shows_where_nothing_else_does_and_is_no_change(
        self, snapshotter: Snapshotter, transaction: Transaction, mounted: Mounted
    ) -> None:
        top = self.image(snapshotter, transaction)
        with snapshotter.draft(top) as draft:
            floor = draft.folder / "floor"
            for name in ("proc", "kept", "link", "deep/er"):
                (floor / name).mkdir(parents=True)
            (floor / "link/outside").touch()
            (floor / "kept/hosts").touch()
            (floor / "kept/f").touch()
            with mounted(draft.mount(floor)) as root:
                assert sorted(os.listdir(root)) == ["deep", "hidden", "kept", "link", "own", "proc", "replaced"]
                assert (root / "link").is_symlink()
                assert (root / "kept/f").read_text() == "lower kept/f"
                assert (root / "kept/hosts").read_text() == ""
                (root / "deep/er/made").write_text("1")
            with draft.layer() as stage:
                found = sorted(str(path.relative_to(stage.path)) for path in stage.path.rglob("*"))

        assert found == ["deep", "deep/er", "deep/er/made"]

    def test_folders_that_are_no_layers_are_put_on_each_other(
        self, snapshotter: Snapshotter, mounted: Mounted
    ) -> None:
        with snapshotter.stage() as below, snapshotter.stage() as above:
            (below.path / "f").write_text("below")
            (below.path / "g").write_text("g")
            (above.path / "f").write_text("above")
            folders = [above.path, below.path]
            with snapshotter.combined(folders, read_only=False) as made, mounted(made) as root:
                (root / "f").write_text("written")
                assert {path.name: path.read_text() for path in root.iterdir()} == {"f": "written", "g": "g"}
            with snapshotter.combined(folders, read_only=True) as made, mounted(made) as root:
                assert {path.name: path.read_text() for path in root.iterdir()} == {"f": "above", "g": "g"}

        assert "ro" in made["options"]
