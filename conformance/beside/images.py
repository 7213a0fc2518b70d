"""Images: looked at, tagged, committed, imported and built, and all of that as it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from conformance.beside.steps import (
    IMAGE,
    Sequence,
    Step,
    box,
    create,
    delete,
    get,
    inspect,
    logs,
    post,
    remove,
    start,
    wait,
)
from conformance.beside.tars import TAR, tar_of
from wharf.images import busybox


def sequences() -> Iterator[Sequence]:
    """Yield them."""
    yield Sequence(
        "images.looks",
        (
            get("/images/json"),
            get("/images/json?all=1"),
            get("/images/json?digests=1"),
            get("/images/json?shared-size=1"),
            get(f"/images/{IMAGE}/json"),
            get("/images/busybox/json"),
            get("/images/nope/json"),
            get("/images/UPPER/json"),
            get("/images/busybox@sha256:0/json"),
            get("/images/a%20b/json"),
            get("/images/busybox/history"),
            get("/images/nope/history"),
            get("/images/nope/get"),
            get("/images/get"),
            get("/images/get?names=nope"),
            delete("/images/nope"),
            delete("/images/busybox:nope"),
            post("/images/nope/tag?repo=x"),
            post("/images/busybox/tag"),
            post("/images/busybox/tag?repo=UPPER"),
            post("/images/busybox/tag?repo=a&tag=-"),
            post("/images/busybox/tag?repo=other&tag=1"),
            get("/images/other:1/json"),
            get("/images/json"),
            delete("/images/other:1"),
            post("/images/create"),
            post("/images/create?fromImage=UPPER"),
            post("/images/create?fromImage="),
            post("/images/create?fromSrc=x"),
            post("/images/nope/push"),
            post("/images/prune"),
            post("/images/prune?filters=x"),
            post("/images/load", b"x"),
            post("/images/load"),
            post("/commit?container=nobody"),
            post("/commit"),
            post("/build"),
            post("/build?remote=x"),
            post("/build?dockerfile=nope", b"", look="lines"),
            get("/images/search"),
            get("/images/search?term=x&limit=0"),
            post("/build/prune"),
            get("/distribution/UPPER/json"),
            post("/auth"),
            post("/auth", {}),
        ),
    )
    yield Sequence(
        "images.commit",
        box(
            post("/commit?container=@c&repo=made&tag=1&comment=why&author=me&pause=0", keep="i"),
            get("/images/made:1/json"),
            get("/images/made:1/history"),
            post("/commit?container=@c&repo=UPPER"),
            post("/commit?container=@c&repo=made&tag=2&changes=ENV%20A%3Db&changes=CMD%20x", {"Labels": {"a": "b"}}),
            get("/images/made:2/json"),
            post("/commit?container=@c&changes=NOPE"),
            post("/commit?container=@c&changes=RUN%20x"),
            delete("/images/made:1"),
            delete("/images/busybox"),
            delete("/images/busybox?force=1&noprune=1"),
            create("d", Image="made:2", Env=["B=1"], Cmd=["env"]),
            inspect("d"),
            start("d"),
            wait("d"),
            logs("d"),
            remove("d"),
            delete("/images/made:2"),
        ),
    )
    changes = "&changes=".join(quote(f"CMD {word}") for word in ('["sh"]',))
    yield Sequence(
        "images.import",
        (
            Step(
                "POST",
                f"/images/create?fromSrc=-&repo=busybox&tag=latest&changes={changes}",
                busybox.layer(),
                headers=TAR,
                look="lines",
            ),
            Step(
                "POST",
                "/images/create?fromSrc=-&repo=imported&tag=1&message=m",
                busybox.layer(),
                headers=TAR,
                look="lines",
            ),
            get("/images/imported:1/json"),
            get("/images/imported:1/history"),
            delete("/images/imported:1"),
            Step("POST", "/images/create?fromSrc=-&repo=imported", b"no archive", headers=TAR, look="lines"),
            Step(
                "POST",
                "/images/create?fromSrc=-&repo=imported&changes=NOPE",
                busybox.layer(),
                headers=TAR,
                look="lines",
            ),
        ),
    )
    for name, dockerfile in (
        ("simple", "FROM busybox\nENV A=b\nRUN echo hi\nCMD x\n"),
        ("fails", "FROM busybox\nRUN exit 3\n"),
        ("nothing", ""),
        ("unknown", "FROM busybox\nNOPE x\n"),
        ("no image", "FROM nope.invalid/x\n"),
        ("no from", "RUN x\n"),
    ):
        yield Sequence(
            f"images.build {name}",
            (
                Step(
                    "POST", "/build?t=built", tar_of({"Dockerfile": dockerfile.encode()}), headers=TAR, look="lines"
                ),
                get("/images/built/json"),
                Step("DELETE", "/images/built", silent=True),
            ),
        )
