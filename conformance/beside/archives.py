"""Archives up and down: links, owners, places that are not there and roots that are read-only."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.beside.steps import Sequence, Step, box, create, get, remove
from conformance.beside.tars import TAR, tar_of


def sequences() -> Iterator[Sequence]:
    """Yield them."""

    def put(query: str, body: bytes) -> Step:
        return Step("PUT", f"/containers/@c/archive?{query}", body, headers=TAR)

    files = tar_of({"a": b"1", "d/b": b"22"}, {"l": "/etc/passwd", "up": "../../../etc"})
    for state in ("created", "running"):
        looked = (
            put("path=/tmp", files),
            get("/containers/@c/archive?path=/tmp", "tar"),
            get("/containers/@c/archive?path=/tmp/.", "tar"),
            get("/containers/@c/archive?path=/tmp/l", "tar"),
            Step("HEAD", "/containers/@c/archive?path=/tmp/l"),
            Step("HEAD", "/containers/@c/archive?path=/tmp/"),
            Step("HEAD", "/containers/@c/archive?path=/tmp/a/"),
            Step("HEAD", "/containers/@c/archive?path=tmp/a"),
            Step("HEAD", "/containers/@c/archive?path=/tmp/up"),
            get("/containers/@c/archive?path=/tmp/a/x"),
            put("path=/tmp/a", files),
            put("path=/tmp/nope", files),
            put("path=/tmp&noOverwriteDirNonDir=1", tar_of({"d": b"x"})),
            put("path=/tmp&noOverwriteDirNonDir=x", files),
            put("path=/tmp&copyUIDGID=1", files),
            put("path=/tmp", b"no archive"),
            put("path=/tmp", b""),
            put("path=/proc", files),
            put("path=/tmp/l", files),
            put("path=", files),
            get("/containers/@c/changes", "sorted"),
        )
        around = (
            box(*looked, WorkingDir="/")
            if state == "running"
            else (
                create("c", query="?name=box"),
                *looked,
                remove(),
            )
        )
        yield Sequence(f"archives.{state}", around)
    yield Sequence(
        "archives.read-only",
        box(put("path=/tmp", files), put("path=/v", files), HostConfig={"ReadonlyRootfs": True, "Tmpfs": {"/v": ""}}),
    )
