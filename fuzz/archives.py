"""Archives and documents that nobody would write, for what reads images: refused or taken, nothing outside touched.

An archive is a list of entries, of hostile names above all, written by Wharf's own writer; then some of its bytes are
turned. Whatever comes of it: an error is one that the tree of errors knows, what is beside the folder stays as it
was, and the folder can be walked, compared with itself, packed and removed.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from wharf.errors import WharfError
from wharf.images.index import images_in, is_index, parse_index
from wharf.images.media_types import require_image
from wharf.images.record import diff_ids_of, parse_config, parse_manifest, platform_of_config
from wharf.storage.comparing import differences
from wharf.storage.diff import Limits, Manner, extract, unpack
from wharf.storage.pack import pack
from wharf.storage.tar_entry import Entry, Kind
from wharf.storage.tar_writer import TarWriter
from wharf.storage.trees import FOLDER
from wharf.storage.unpacking.unpacked import unpack_layer

_PARTS = [b"a", b"b", b"..", b".", b"", b"\xff\xfe", b".wh.a", b".wh..wh..opq", b".wh.", b"link", b"x" * 200]
_TARGETS = [b"a", b"../outside", b"/", b"/etc", b"a/b", b".", b"..", b"link/a", b"", b"\xff"]
_DEVICES = [(0, 0), (1, 3), (8, 0)]
_ATTRIBUTES = ["user.k", "trusted.k", "trusted.overlay.redirect", "security.capability", "system.posix_acl_access"]
_SECRET = "nobody may change this"


def names() -> st.SearchStrategy[bytes]:
    """Return names of one to four parts, some absolute, some with a slash at the end."""
    joined = st.lists(st.sampled_from(_PARTS), min_size=1, max_size=4).map(b"/".join)
    return st.builds(lambda name, head, tail: head + name + tail, joined, _slash(), _slash()).filter(bool)


def _slash() -> st.SearchStrategy[bytes]:
    return st.sampled_from([b"", b"", b"", b"/"])


def entries() -> st.SearchStrategy[tuple[Entry, bytes]]:
    """Return entries with their content."""

    def make(*, name: bytes, kind: Kind, mode: int, owner: int, target: bytes, more: Any) -> tuple[Entry, bytes]:
        device, content, attribute = more
        own = content if kind is Kind.FILE else b""
        xattrs = {attribute: content[:20]} if attribute else {}
        entry = Entry(
            name, kind, mode=mode, uid=owner, gid=owner, mtime_ns=10**9, size=len(own), target=target, device=device,
            xattrs=xattrs,
        )  # fmt: skip
        return entry, own

    more = st.tuples(
        st.sampled_from(_DEVICES), st.binary(max_size=2000), st.sampled_from([None, None, None, *_ATTRIBUTES])
    )
    return st.builds(
        make, name=names(), kind=st.sampled_from(list(Kind)), mode=st.integers(0, 0o7777),
        owner=st.sampled_from([0, 0, 1000, 2**31]), target=st.sampled_from(_TARGETS), more=more,
    )  # fmt: skip


def archives() -> st.SearchStrategy[bytes]:
    """Return archives, most of them whole, some compressed, some with bytes that were turned or cut off."""
    written = st.lists(entries(), max_size=8).map(_written)
    turned = st.lists(st.tuples(st.integers(0, 20_000), st.integers(1, 255)), max_size=3)
    return st.builds(_spoilt, written, st.just([]) | turned, st.just(None) | st.integers(0, 9000), st.booleans())


def _written(items: list[tuple[Entry, bytes]]) -> bytes:
    sink = io.BytesIO()
    writer = TarWriter(sink)
    for entry, content in items:
        writer.add(entry, [content] if content else [])
    writer.close()
    return sink.getvalue()


def _spoilt(data: bytes, turned: list[tuple[int, int]], cut: int | None, compressed: bool) -> bytes:  # noqa: FBT001  # hypothesis fills it
    bytes_ = bytearray(data)
    for at, by in turned:
        if at < len(bytes_):
            bytes_[at] ^= by
    whole = bytes(bytes_)
    return (gzip.compress(whole) if compressed else whole)[:cut]


class Bench:
    """A folder to unpack into, beside things that must stay as they are."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        (scratch / "outside").mkdir()
        (scratch / "outside/secret").write_text(_SECRET)
        self._before = self._outside()

    def _outside(self) -> list[tuple[str, int, int, str]]:
        found = []
        for path in sorted((self._scratch / "outside").rglob("*")):
            status = path.lstat()
            found.append((str(path), status.st_mode, status.st_uid, path.read_text()))
        return found

    def check(self, work: Callable[[int], object]) -> bool:
        """Do ``work`` in a new folder; return whether it was done, or refused as is right."""
        folder = self._scratch / "folder"
        folder.mkdir()
        fd = os.open(folder, FOLDER)
        try:
            work(fd)
            done = True
        except (WharfError, OSError):
            done = False
        try:
            assert self._outside() == self._before, "something outside was changed"
            assert sorted(os.listdir(self._scratch)) == ["folder", "outside"]
            other = os.dup(fd)
            assert list(differences(fd, other)) == []
            os.close(other)
            pack(fd, io.BytesIO(), overlay=True)
            for path in folder.rglob("*"):
                if stat.S_ISLNK(path.lstat().st_mode):
                    assert str(path.parent.resolve()).startswith(str(folder)), path
        finally:
            os.close(fd)
            shutil.rmtree(folder)
        return done


def fuzz_archives(examples: int) -> int:
    """Try so many archives each way; return how many were taken.

    Raises:
        AssertionError: with the smallest that went wrong.
    """
    taken = 0
    with tempfile.TemporaryDirectory(prefix="wharf-fuzz.", dir="/tmp") as scratch:
        bench = Bench(Path(scratch))

        @_settings(examples)
        @given(archives())
        def run(data: bytes) -> None:
            nonlocal taken
            small = Limits(entries=100, bytes=1 << 20)
            taken += bench.check(lambda fd: unpack(io.BytesIO(data), fd, small))
            bench.check(lambda fd: unpack_layer(io.BytesIO(data), fd))
            bench.check(lambda fd: extract(io.BytesIO(data), fd, Manner(layer=False, keep_kinds=True)))

        run()
    return taken


def documents() -> st.SearchStrategy[bytes]:
    """Return JSON near an image's documents, and some that is none."""
    digest = st.sampled_from([f"sha256:{'a' * 64}", "sha256:a", "md5:1", "", None, 5])
    descriptor = st.fixed_dictionaries(
        {},
        optional={
            "mediaType": st.sampled_from(["", "application/vnd.oci.image.layer.v1.tar+gzip", "x+encrypted", 7]),
            "digest": digest,
            "size": st.sampled_from([0, -1, 1 << 70, "1", None]),
            "platform": st.sampled_from([None, {}, {"os": "linux"}, {"os": 1}, []]),
            "annotations": st.sampled_from([None, {}, {"k": 1}, []]),
        },
    )
    junk = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4)
    fields = {
        "schemaVersion": st.sampled_from([1, 2, "2", None]),
        "mediaType": st.sampled_from(["", "application/vnd.oci.image.index.v1+json", 1, None]),
        "config": descriptor | junk,
        "layers": st.lists(descriptor | junk, max_size=3) | junk,
        "manifests": st.lists(descriptor | junk, max_size=3) | junk,
        "os": st.sampled_from(["linux", "windows", 1, None]),
        "architecture": st.sampled_from(["amd64", "", 1, None]),
        "rootfs": st.sampled_from([None, {}, {"type": "layers", "diff_ids": ["x"]}, {"diff_ids": 1}, []]),
        "history": st.lists(junk, max_size=2) | junk,
    }
    document = st.fixed_dictionaries({}, optional=fields)
    return document.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50)


def fuzz_documents(examples: int) -> None:
    """Read so many documents as each kind there is; only the errors that a caller knows may come."""

    @_settings(examples)
    @given(documents())
    def run(raw: bytes) -> None:
        for read in (_manifest, _index, _config, is_index):
            try:
                read(raw)
            except WharfError:
                continue

    run()


def _manifest(raw: bytes) -> None:
    require_image(parse_manifest(raw), "fuzz")


def _index(raw: bytes) -> None:
    images_in(parse_index(raw))


def _config(raw: bytes) -> None:
    config = parse_config(raw)
    diff_ids_of(config)
    platform_of_config(config)


def _settings(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
