from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from wharf.errors import InvalidArgument
from wharf.storage.diff import Limits, Unpacked, clean, unpack
from wharf.storage.overlay_marks import is_whiteout, opaque_attribute
from wharf.storage.tar_entry import Entry, Kind
from wharf.storage.tar_writer import TarWriter
from wharf.storage.trees import usage

pytestmark = pytest.mark.root


def archive(*entries: Entry | tuple[Entry, bytes]) -> io.BytesIO:
    buffer = io.BytesIO()
    writer = TarWriter(buffer)
    for item in entries:
        entry, content = item if isinstance(item, tuple) else (item, b"")
        entry.size = len(content)
        writer.add(entry, [content] if content else [])
    writer.close()
    buffer.seek(0)
    return buffer


def file(name: str | bytes, content: bytes = b"", **fields: object) -> tuple[Entry, bytes]:
    return Entry(name if isinstance(name, bytes) else name.encode(), Kind.FILE, **fields), content  # type: ignore[arg-type]


def folder(name: str, **fields: object) -> Entry:
    return Entry(name.encode(), Kind.FOLDER, **{"mode": 0o755, **fields})  # type: ignore[arg-type]


def symlink(name: str, target: str) -> Entry:
    return Entry(name.encode(), Kind.SYMLINK, mode=0o777, target=target.encode())


def hardlink(name: str, target: str) -> Entry:
    return Entry(name.encode(), Kind.HARDLINK, target=target.encode())


def outside_is_untouched(tmp_path: Path) -> bool:
    return (tmp_path / "outside").read_text() == "secret" and {p.name for p in tmp_path.iterdir()} <= {
        "outside",
        "layer",
    }


@pytest.mark.parametrize("name", ["../outside", "a/../../outside", "/../../outside", "..", "./.."])
def test_a_name_above_the_root_is_refused(tmp_path: Path, layer: int, name: str) -> None:
    with pytest.raises(InvalidArgument, match="lies outside"):
        unpack(archive(file(name, b"x")), layer)

    assert outside_is_untouched(tmp_path)


def test_an_absolute_name_lies_below_the_root(tmp_path: Path, layer: int) -> None:
    unpack(archive(file("/etc/new", b"x")), layer)

    assert (tmp_path / "layer/etc/new").read_bytes() == b"x"


@pytest.mark.parametrize("target", ["..", "../..", "/", "/.."])
def test_a_symlinked_parent_leads_nowhere_outside(tmp_path: Path, layer: int, target: str) -> None:
    unpack(archive(symlink("link", target), file("link/outside", b"x")), layer)

    assert outside_is_untouched(tmp_path)
    assert (tmp_path / "layer/outside").read_bytes() == b"x"


def test_a_symlinked_parent_is_followed_inside(tmp_path: Path, layer: int) -> None:
    unpack(archive(folder("usr/lib"), symlink("lib", "usr/lib"), file("lib/so", b"x")), layer)

    assert (tmp_path / "layer/usr/lib/so").read_bytes() == b"x"


def test_a_dangling_symlink_as_a_parent_makes_folders_inside(tmp_path: Path, layer: int) -> None:
    unpack(archive(symlink("link", f"{tmp_path}/new"), file("link/f", b"x")), layer)

    assert outside_is_untouched(tmp_path)


def test_a_loop_of_symlinks_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="symbolic links"):
        unpack(archive(symlink("a", "b"), symlink("b", "a"), file("a/f", b"x")), layer)


def test_a_file_in_the_place_of_a_folder_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="Not a directory"):
        unpack(archive(file("a", b"x"), file("a/b", b"y")), layer)


def test_a_file_replaces_a_symlink_and_does_not_follow_it(tmp_path: Path, layer: int) -> None:
    unpack(archive(symlink("f", str(tmp_path / "outside")), file("f", b"x")), layer)

    assert outside_is_untouched(tmp_path)
    assert not (tmp_path / "layer/f").is_symlink()


def test_metadata_of_a_folder_entry_does_not_follow_a_symlink(tmp_path: Path, layer: int) -> None:
    (tmp_path / "outside").chmod(0o600)
    unpack(archive(symlink("d", str(tmp_path)), folder("d", mode=0o777, uid=7)), layer)

    assert tmp_path.stat().st_uid == 0
    assert (tmp_path / "layer/d").stat().st_uid == 7


@pytest.mark.parametrize("target", ["../outside", "../../etc/passwd", "nowhere", "d", "", ".", "missing/file"])
def test_a_hardlink_to_no_file_inside_is_refused(tmp_path: Path, layer: int, target: str) -> None:
    with pytest.raises(InvalidArgument):
        unpack(archive(folder("d"), hardlink("l", target)), layer)

    assert os.stat(tmp_path / "outside").st_nlink == 1


def test_a_hardlink_through_a_symlinked_parent_stays_inside(tmp_path: Path, layer: int) -> None:
    with pytest.raises(InvalidArgument):
        unpack(archive(symlink("up", ".."), hardlink("l", "up/outside")), layer)

    assert os.stat(tmp_path / "outside").st_nlink == 1


def test_a_hardlink_to_a_symlink_links_the_symlink(tmp_path: Path, layer: int) -> None:
    unpack(archive(symlink("s", "../outside"), hardlink("l", "s"), file("l", b"x")), layer)

    assert outside_is_untouched(tmp_path)


def test_writing_a_file_again_leaves_its_other_links_alone(tmp_path: Path, layer: int) -> None:
    unpack(archive(file("a", b"1"), hardlink("b", "a"), file("a", b"2")), layer)

    assert ((tmp_path / "layer/a").read_bytes(), (tmp_path / "layer/b").read_bytes()) == (b"2", b"1")


def test_a_hardlink_to_itself_keeps_the_file(tmp_path: Path, layer: int) -> None:
    unpack(archive(file("a", b"1"), hardlink("a", "a")), layer)

    assert (tmp_path / "layer/a").read_bytes() == b"1"


@pytest.mark.parametrize("key", ["trusted.overlay.redirect", "trusted.overlay.opaque", "user.overlay.whiteout"])
def test_overlay_attributes_in_an_archive_are_refused(layer: int, key: str) -> None:
    with pytest.raises(InvalidArgument, match="may not set the attribute"):
        unpack(archive(folder("d", xattrs={key: b"/"})), layer)


def test_an_archive_larger_than_allowed_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="larger than allowed"):
        unpack(archive(file("a", b"x" * 11)), layer, Limits(bytes=10))


def test_an_archive_with_too_many_entries_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="larger than allowed"):
        unpack(archive(file("a"), file("b")), layer, Limits(entries=1))


def test_a_very_deep_name_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="too deep"):
        unpack(archive(file("a/" * 300 + "f")), layer)


def test_an_archive_cut_short_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="corrupt archive"):
        unpack(io.BytesIO(archive(file("a", b"x" * 2000)).getvalue()[:1500]), layer)


def test_garbage_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="corrupt archive"):
        unpack(io.BytesIO(b"garbage" * 1000), layer)


def test_a_root_that_is_no_folder_is_refused(layer: int) -> None:
    with pytest.raises(InvalidArgument, match="its root is not a folder"):
        unpack(archive(symlink("./", "/etc")), layer)


def test_devices_are_what_the_archive_says(tmp_path: Path, layer: int) -> None:
    unpack(archive(Entry(b"null", Kind.CHARACTER, mode=0o666, device=(1, 3)), Entry(b"p", Kind.FIFO)), layer)

    status = (tmp_path / "layer/null").lstat()
    assert (stat.S_ISCHR(status.st_mode), status.st_rdev, stat.S_IMODE(status.st_mode)) == (
        True,
        os.makedev(1, 3),
        0o666,
    )
    assert stat.S_ISFIFO((tmp_path / "layer/p").lstat().st_mode)


def test_a_whiteout_becomes_overlays_device(tmp_path: Path, layer: int) -> None:
    unpack(archive(file("d/.wh.gone")), layer)

    assert is_whiteout((tmp_path / "layer/d/gone").lstat())


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
def test_a_whiteout_of_nothing_is_refused(layer: int, name: str) -> None:
    with pytest.raises(InvalidArgument, match="names nothing"):
        unpack(archive(file(name)), layer)


def test_an_opaque_mark_becomes_overlays_attribute(tmp_path: Path, layer: int) -> None:
    unpack(archive(file("d/.wh..wh..opq"), file("d/kept", b"x")), layer)

    assert os.getxattr(tmp_path / "layer/d", opaque_attribute()) == b"y"
    assert sorted(os.listdir(tmp_path / "layer/d")) == ["kept"]


def test_marks_of_aufs_are_left_out(tmp_path: Path, layer: int) -> None:
    unpack(archive(file(".wh..wh.aufs"), folder(".wh..wh.plnk")), layer)

    assert os.listdir(tmp_path / "layer") == []


def test_a_whiteout_does_not_remove_what_the_same_layer_has(tmp_path: Path, layer: int) -> None:
    unpack(archive(file("d/f", b"x"), file(".wh.d")), layer)

    assert (tmp_path / "layer/d/f").exists()
    assert os.getxattr(tmp_path / "layer/d", opaque_attribute()) == b"y"


def test_a_folder_after_its_whiteout_is_opaque(tmp_path: Path, layer: int) -> None:
    unpack(archive(file(".wh.d"), folder("d")), layer)

    assert os.getxattr(tmp_path / "layer/d", opaque_attribute()) == b"y"


def test_owner_mode_time_and_capabilities_are_the_archives(tmp_path: Path, layer: int) -> None:
    capability = bytes.fromhex("0100000200200000000000000000000000000000")
    entry = file(
        "ping", b"x", mode=0o4755, uid=12, gid=34, mtime_ns=1_500_000_000_123_456_789,
        xattrs={"security.capability": capability, "user.a": b"\0\n="},
    )  # fmt: skip
    unpack(archive(entry), layer)

    path = tmp_path / "layer/ping"
    status = path.stat()
    assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (
        12, 34, 0o4755, 1_500_000_000_123_456_789,
    )  # fmt: skip
    assert (os.getxattr(path, "security.capability"), os.getxattr(path, "user.a")) == (capability, b"\0\n=")


def test_a_folders_time_survives_its_filling(tmp_path: Path, layer: int) -> None:
    unpack(archive(folder("./", mtime_ns=10**18), folder("d", mtime_ns=10**18), file("d/f", b"x")), layer)

    assert (tmp_path / "layer/d").stat().st_mtime_ns == (tmp_path / "layer").stat().st_mtime_ns == 10**18


def test_the_last_of_several_entries_of_a_name_counts(tmp_path: Path, layer: int) -> None:
    entries = [folder("n"), file("n/f", b"x"), symlink("n", "/"), folder("n"), file("n", b"last")]
    unpack(archive(*entries), layer)

    assert (tmp_path / "layer/n").read_bytes() == b"last"


def test_a_folder_kept_open_is_forgotten_when_it_is_replaced(tmp_path: Path, layer: int) -> None:
    entries = [file("d/a", b"1"), file("d", b"x"), folder("d"), file("d/b", b"2")]
    unpack(archive(*entries), layer)

    assert os.listdir(tmp_path / "layer/d") == ["b"]


def test_names_need_not_be_utf8(tmp_path: Path, layer: int) -> None:
    unpack(archive(file(b"d\xff/\xfe", b"x"), file(b"\xff" * 120 + b"/" + b"\xfe" * 120, b"y")), layer)

    assert sorted(os.listdir(os.fsencode(tmp_path / "layer"))) == [b"d\xff", b"\xff" * 120]


@pytest.mark.parametrize(
    "arguments", ["--format=gnu", "--sparse-version=0.0", "--sparse-version=0.1", "--sparse-version=1.0"]
)
def test_sparse_files_of_every_form_keep_their_holes(tmp_path: Path, layer: int, arguments: str) -> None:
    source = tmp_path / "layer/../sparse"
    with source.open("wb") as out:
        out.truncate(8 << 20)
        for at in range(0, 8 << 20, 1 << 20):
            out.seek(at)
            out.write(b"%d" % at)
    form = [arguments] if "gnu" in arguments else ["--format=posix", arguments]
    made = subprocess.run(["tar", "-cS", *form, "-C", tmp_path, "sparse"], check=True, stdout=subprocess.PIPE).stdout
    unpack(io.BytesIO(made), layer)

    copy = tmp_path / "layer/sparse"
    assert copy.read_bytes() == source.read_bytes()
    assert copy.stat().st_blocks * 512 < 1 << 20


def test_what_is_filled_is_counted(layer: int) -> None:
    assert unpack(archive(folder("d"), file("d/f", b"12345"), hardlink("l", "d/f")), layer) == Unpacked(3, 5)


def test_archives_of_pythons_own_tarfile_are_read(tmp_path: Path, layer: int) -> None:
    for form in (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
            member = tarfile.TarInfo(f"{'d' * 90}/{'é' * 40}-{form}" if form else "plain")
            member.size = 3
            tar.addfile(member, io.BytesIO(b"abc"))
        buffer.seek(0)
        unpack(buffer, layer)

    assert sum(p.read_bytes() == b"abc" for p in (tmp_path / "layer").rglob("*") if p.is_file()) == 3


@pytest.mark.parametrize(
    ("name", "result"), [(b"/a//b/./c/", b"a/b/c"), (b"a/../b", b"b"), (b"./", b""), (b"/", b"")]
)
def test_names_are_cleaned(name: bytes, result: bytes) -> None:
    assert clean(name) == result


def test_no_descriptor_is_left_open(layer: int) -> None:
    before = os.listdir("/proc/self/fd")
    unpack(archive(*(file(f"d{i}/f", b"x") for i in range(200))), layer)
    with pytest.raises(InvalidArgument):
        unpack(archive(folder("z"), hardlink("l", "../x")), layer)

    assert os.listdir("/proc/self/fd") == before
    assert sys.getrecursionlimit() == 1000


def test_sizes_count_files_once_and_the_lengths_of_symlinks(tmp_path: Path, layer: int) -> None:
    entries = (file("f", b"12345"), hardlink("again", "f"), symlink("s", "to/f"), folder("d"))

    assert unpack(archive(*entries), layer).size_bytes == usage(tmp_path / "layer") == 9
