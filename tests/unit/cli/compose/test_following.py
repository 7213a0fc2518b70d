from __future__ import annotations

import json
import re

from wharf.cli.compose.following import event_json, event_line

_EVENT: dict[str, object] = {
    "Type": "container",
    "Action": "die",
    "Actor": {
        "ID": "f00",
        "Attributes": {"name": "app-web-1", "exitCode": "3", "com.docker.compose.service": "web"},
    },
    "timeNano": 1_700_000_000_123_456_789,
}


def test_an_event_is_a_line_without_the_labels_of_compose() -> None:
    line = event_line(_EVENT)

    assert re.fullmatch(r"2023-11-1[45] \d\d:\d\d:20\.123456 container die f00 \(exitCode=3, name=app-web-1\)", line)


def test_an_event_in_json_names_the_service() -> None:
    assert json.loads(event_json(_EVENT)) == {
        "action": "die",
        "attributes": {"exitCode": "3", "name": "app-web-1"},
        "id": "f00",
        "service": "web",
        "time": "2023-11-14T22:13:20.123456789Z",
        "type": "container",
    }
