from __future__ import annotations

import io
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from conformance.v2.initramfs import Archive, kernel_modules, tree


def test_an_archive_is_one_that_cpio_reads(tmp_path: Path) -> None:
    if shutil.which("cpio") is None:
        pytest.skip("there is no cpio")
    out = io.BytesIO()
    archive = Archive(out)
    archive.add("/a/b/file", stat.S_IFREG | 0o644, b"text")
    archive.add("/a/link", stat.S_IFLNK | 0o777, b"b/file")
    archive.end()

    subprocess.run(["cpio", "-idm", "--quiet"], input=out.getvalue(), cwd=tmp_path, check=True)

    assert (tmp_path / "a/link").read_text() == "text"


def test_a_link_brings_what_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("text")
    (tmp_path / "link").symlink_to("real")
    out = io.BytesIO()

    Archive(out).copy(tmp_path / "link")

    assert out.getvalue().count(b"070701") == len(tmp_path.parts) + 1


def test_modules_come_after_what_they_depend_on(tmp_path: Path) -> None:
    for name, needs in (("nft-ct", "nf_tables"), ("nf_tables", "nfnetlink,crc"), ("nfnetlink", ""), ("crc", "")):
        (tmp_path / f"{name}.ko").write_bytes(b"\0depends=" + needs.encode() + b"\0")

    assert [path.stem for path in kernel_modules(tmp_path, ["nft_ct", "crc"])] == [
        "nfnetlink",
        "crc",
        "nf_tables",
        "nft-ct",
    ]


def test_folders_of_tests_are_left_out(tmp_path: Path) -> None:
    for name in ("a.py", "test/b.py", "c/d.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert list(tree(tmp_path)) == [tmp_path / "a.py", tmp_path / "c/d.py"]
