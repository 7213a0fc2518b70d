"""The system: what it says of itself, what is no endpoint, and what older clients are told."""

from __future__ import annotations

from collections.abc import Iterator

from conformance.beside.steps import IMAGE, Sequence, Step, box, get, post


def sequences() -> Iterator[Sequence]:
    """Yield them."""
    yield Sequence(
        "system.looks",
        (
            get("/_ping", "bytes"),
            Step("HEAD", "/_ping"),
            Step("GET", "/_ping", version="", look="bytes"),
            get("/version", "shape"),
            get("/info", "shape"),
            get("/system/df", "shape"),
            get("/system/df?type=nope"),
            get("/system/df?type=image"),
            get("/system/df?type=container"),
            get("/events?since=@now&until=@now", "lines"),
            get("/events?since=x"),
            get("/events?until=x"),
            get("/events?filters=x"),
            get("/nope"),
            post("/nope"),
            get("/swarm"),
            get("/nodes"),
            get("/services"),
            get("/tasks"),
            get("/secrets"),
            get("/configs"),
            get("/plugins"),
            get("/plugins/nope/json"),
            get("/plugins/privileges"),
            post("/swarm/leave"),
            get("/session"),
            post("/session"),
            get("/containers/json?limit=x"),
            get("/containers/json?size=x"),
            Step("GET", "/info", version="1.23"),
            Step("GET", "/info", version="1.99"),
            Step("GET", "/info", version="x"),
            Step("GET", "/version", version="1.24", look="shape"),
            Step("OPTIONS", "/info"),
            Step("PATCH", "/info"),
        ),
    )
    for version in (
        "1.24",
        "1.30",
        "1.35",
        "1.39",
        "1.40",
        "1.41",
        "1.42",
        "1.43",
        "1.44",
        "1.45",
        "1.46",
        "1.47",
        "1.48",
        "1.49",
        "1.50",
    ):
        looks = [
            Step("GET", path, version=version, look=look)
            for path, look in (
                ("/containers/@c/json", ""),
                ("/containers/json", ""),
                ("/images/json", ""),
                (f"/images/{IMAGE}/json", ""),
                ("/info", "shape"),
                ("/system/df", "shape"),
                ("/networks/bridge", ""),
                ("/volumes", ""),
                ("/containers/@c/stats?stream=0&one-shot=1", "shape"),
            )
        ]
        yield Sequence(f"versions.{version}", box(*looks))
