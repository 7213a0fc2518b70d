from __future__ import annotations

import pytest

from wharf.engine.containers.state import ALLOWED, State, require
from wharf.errors import Conflict, NotModified

REMOVE_RUNNING = (
    'cannot remove container "web": container is running: stop the container before removing or force remove'
)


@pytest.mark.parametrize("status", sorted(ALLOWED))
def test_what_the_table_allows_is_not_refused(status: str) -> None:
    for verb in ALLOWED[status]:
        require(verb, State(status=status), container_id="c0ffee", name="web")


@pytest.mark.parametrize(
    ("verb", "status", "error", "text"),
    [
        ("start", "running", NotModified, "container c0ffee is already started"),
        ("stop", "exited", NotModified, "container c0ffee is already stopped"),
        ("start", "paused", Conflict, "cannot start a paused container, try unpause instead"),
        ("kill", "exited", Conflict, "cannot kill container: web: container c0ffee is not running"),
        ("pause", "paused", Conflict, "Container c0ffee is already paused"),
        ("unpause", "running", Conflict, "Container c0ffee is not paused"),
        ("exec", "exited", Conflict, "container c0ffee is not running"),
        ("exec", "paused", Conflict, "Container c0ffee is paused, unpause the container before exec"),
        (
            "remove",
            "running",
            Conflict,
            REMOVE_RUNNING,
        ),
        ("start", "removing", Conflict, "container c0ffee is marked for removal and cannot be started"),
        ("attach", "restarting", Conflict, "container c0ffee is restarting, wait until the container is running"),
    ],
)
def test_a_refusal_is_in_dockers_words(verb: str, status: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as refused:
        require(verb, State(status=status), container_id="c0ffee", name="web")

    assert str(refused.value) == text
