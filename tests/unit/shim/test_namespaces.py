"""Requests for namespaces that nobody should have sent."""

from __future__ import annotations

import os

import pytest

from wharf.kernel import sockets
from wharf.shim.namespaces import make


@pytest.mark.parametrize("message", [{}, {"uid_map": 1, "gid_map": ""}, {"uid_map": ""}])
def test_a_request_without_maps_is_malformed(message: dict[str, object]) -> None:
    ours, theirs = sockets.pair()
    with ours, theirs, pytest.raises(ValueError, match="malformed"):
        make(message, [theirs.fileno()])


def test_a_request_without_a_socket_is_malformed() -> None:
    with pytest.raises(ValueError, match="malformed"):
        make({"uid_map": "", "gid_map": ""}, [])


def test_who_does_not_wait_for_the_answer_disturbs_nobody() -> None:
    ours, theirs = sockets.pair()
    ours.close()
    make({"uid_map": "no map", "gid_map": ""}, [os.dup(theirs.fileno())])
    theirs.close()
