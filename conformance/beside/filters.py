"""Filters: every one of every list, with values that fit, that do not, and that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from conformance.beside.steps import Sequence, create, get, post, remove


def sequences() -> Iterator[Sequence]:
    """Yield them."""
    kinds = {
        "/containers/json?all=1&filters=": (
            "id",
            "name",
            "label",
            "label!",
            "status",
            "health",
            "exited",
            "ancestor",
            "before",
            "since",
            "volume",
            "network",
            "publish",
            "expose",
            "is-task",
            "isolation",
            "nope",
        ),
        "/images/json?filters=": ("dangling", "label", "label!", "before", "since", "reference", "until", "nope"),
        "/volumes?filters=": ("dangling", "driver", "label", "name", "nope"),
        "/networks?filters=": ("dangling", "driver", "id", "label", "name", "scope", "type", "nope"),
        "/events?since=@since&until=@now&filters=": (
            "config",
            "container",
            "daemon",
            "event",
            "image",
            "label",
            "network",
            "type",
            "volume",
            "scope",
            "nope",
        ),
    }
    values = (
        "box",
        "busybox",
        "true",
        "x",
        "",
        "running",
        "1",
        "bridge",
        "custom",
        "local",
        "80",
        "80/tcp",
        "bo",
        "^/bo",
        "a=b",
        "none",
    )
    for path, names in kinds.items():
        for name in names:
            asked: list[dict[str, object]] = [{name: [value]} for value in values]
            asked += [
                {name: {"box": True}},
                {name: {"box": False}},
                {name: "box"},
                {name: []},
                {name: ["box", "x"]},
                {name: None},
            ]
            looks = "lines" if path.startswith("/events") else ""
            yield Sequence(
                f"filters.{path.partition('?')[0]} {name}",
                (
                    create("c", query="?name=box", Labels={"a": "b"}, ExposedPorts={"80/tcp": {}}),
                    *(get(path + quote(json.dumps(one)), looks) for one in asked),
                    remove(),
                ),
            )
        yield Sequence(
            f"filters.{path.partition('?')[0]} malformed",
            tuple(
                get(path + quote(text)) for text in ("{", "[]", "5", "x", '"x"', "null", "{}", "", '{"a":{"b":"c"}}')
            ),
        )
    for path in ("/containers/prune", "/images/prune", "/volumes/prune", "/networks/prune", "/build/prune"):
        yield Sequence(
            f"filters.{path}",
            tuple(
                post(f"{path}?filters={quote(text)}")
                for text in (
                    '{"until":["1h"]}',
                    '{"until":["x"]}',
                    '{"label":["q"]}',
                    '{"nope":["x"]}',
                    '{"dangling":["x"]}',
                    "{",
                    "[]",
                    '{"until":["1h","2h"]}',
                    '{"label!":["q"]}',
                    '{"all":["x"]}',
                )
            ),
        )
