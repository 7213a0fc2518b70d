from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from wharf.kernel import unix_socket
from wharf.runtime import conversation
from wharf.runtime.errors import StartFailed

if TYPE_CHECKING:
    from wharf.kernel.unix_socket import Socket


@pytest.fixture
def ends() -> Iterator[tuple[Socket, Socket]]:
    here, there = unix_socket.pair()
    yield here, there
    here.close()
    there.close()


def test_fields_and_descriptors_arrive_as_they_were_sent(ends: tuple[Socket, Socket]) -> None:
    here, there = ends
    reader, writer = os.pipe()
    conversation.send(here, "document", "a folder", fds=[reader])

    fields, fds = conversation.receive(there)
    os.write(writer, b"x")
    assert (fields, os.read(fds[0], 1)) == (["document", "a folder"], b"x")
    for fd in (reader, writer, *fds):
        os.close(fd)


def test_a_failure_is_raised_with_its_kind(ends: tuple[Socket, Socket]) -> None:
    here, there = ends
    conversation.send(there, "failed", "not-found", "no such program")

    with pytest.raises(StartFailed, match="no such program") as caught:
        conversation.receive(here)
    assert caught.value.kind == "not-found"


def test_what_was_said_last_is_heard_also_when_our_own_words_were_not(ends: tuple[Socket, Socket]) -> None:
    here, there = ends
    conversation.send(there, "failed", "other", "unable to find user")
    conversation.send(here, "start")
    there.close()  # with "start" unread: the kernel resets the connection

    with pytest.raises(StartFailed, match="unable to find user"):
        conversation.receive(here)
    assert conversation.receive(here) == ([], [])


def test_another_word_than_the_one_expected_is_a_failure(ends: tuple[Socket, Socket]) -> None:
    here, there = ends
    conversation.send(there, "mounted")

    with pytest.raises(StartFailed, match='expected "mapped", received'):
        conversation.expect(here, "mapped")


def test_times_survive_the_way_through_a_field() -> None:
    assert conversation.steps_from_field(conversation.steps_to_field({"root": 3, "masks": 0})) == {
        "root": 3,
        "masks": 0,
    }
