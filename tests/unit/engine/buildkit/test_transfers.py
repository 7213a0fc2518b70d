from __future__ import annotations

from wharf.build.solver.progress import Began, Ended, Event, Moved, Progress
from wharf.engine.buildkit.transfers import Transfers


def test_a_pull_is_a_step_and_each_layer_a_transfer_in_it() -> None:
    events: list[Event] = []
    transfers = Transfers(Progress(events.append, lambda: 5))
    for line in (
        {"status": "Waiting"},
        {"status": "Pulling from library/busybox", "id": "1"},
        {"status": "Downloading", "id": "abc", "progressDetail": {"current": 7, "total": 9}},
        {"status": "Download complete", "id": "abc", "progressDetail": {}},
        {"status": "Extracting", "id": "abc"},
        {"status": "Status: Downloaded newer image for busybox:1"},
        {"status": "Waiting", "id": "late"},
    ):
        transfers.tell(dict(line))

    began, first, last, ended = events
    assert isinstance(began, Began)
    assert began.vertex.description.name == "[internal] pull library/busybox:1"
    assert isinstance(first, Moved)
    assert isinstance(last, Moved)
    assert isinstance(ended, Ended)
    assert [(one.what, one.current, one.done) for one in (first, last)] == [("abc", 7, False), ("abc", 0, True)]
