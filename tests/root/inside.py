"""Looking at what a process does to itself: in a child of the test's."""

from __future__ import annotations

import os
from collections.abc import Callable


def in_a_child(body: Callable[[], object]) -> str:
    """Return the repr of what ``body`` returns in a forked child, or what it failed with."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            said = repr(body())
        except BaseException as error:  # noqa: BLE001 - told to the parent
            said = f"failed: {error!r}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        said = file.read()
    os.waitpid(child, 0)
    return said
