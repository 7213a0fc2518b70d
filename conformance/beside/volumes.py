"""Volumes: made with every field, used, refused and pruned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from conformance.beside.steps import Sequence, Step, box, delete, get, post


def sequences() -> Iterator[Sequence]:
    """Yield them."""
    bodies: tuple[Any, ...] = (
        None,
        {},
        {"Name": "vol"},
        {"Name": "v"},
        {"Name": "a/b"},
        {"Name": "vol", "Driver": "nope"},
        {"Driver": "local"},
        {"Name": "vol", "Labels": {"a": "b"}},
        {"Name": "vol", "DriverOpts": {"type": "tmpfs", "device": "tmpfs"}},
        {"Name": "vol", "DriverOpts": {"nope": "x"}},
        {"Name": "vol", "DriverOpts": {"type": "tmpfs"}},
        {"Name": "vol", "DriverOpts": {"o": "uid=1"}},
        {"Name": 5},
        {"Name": "vol", "ClusterVolumeSpec": {}},
        [],
    )
    for body in bodies:
        name = json.dumps(body)
        yield Sequence(
            f"volumes.create {name}",
            (
                Step("POST", "/volumes/create", body, "v"),
                get("/volumes/@v"),
                get("/volumes"),
                Step("DELETE", "/volumes/@v", silent=True),
            ),
        )
    yield Sequence(
        "volumes.life",
        (
            post("/volumes/create", {"Name": "vol"}, "v"),
            post("/volumes/create", {"Name": "vol"}),
            post("/volumes/create", {"Name": "vol", "Labels": {"x": "y"}}),
            get("/volumes/vol"),
            get("/volumes/nope"),
            delete("/volumes/nope"),
            delete("/volumes/nope?force=1"),
            delete("/volumes/vol?force=x"),
            Step("PUT", "/volumes/vol", {}),
            *box(
                delete("/volumes/vol"),
                delete("/volumes/vol?force=1"),
                get("/volumes"),
                get("/system/df?type=volume"),
                post("/volumes/prune"),
                HostConfig={"Binds": ["vol:/v"]},
            ),
            post("/volumes/prune"),
            post("/volumes/prune?filters=%7B%22all%22%3A%5B%22true%22%5D%7D"),
            get("/volumes/vol"),
        ),
    )
