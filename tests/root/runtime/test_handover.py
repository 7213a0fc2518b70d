"""What goes over to an embryo, over a real socket."""

from __future__ import annotations

import os
import socket

import pytest

from wharf.kernel import sockets
from wharf.runtime import handover
from wharf.spec.shim_messages import World

pytestmark = pytest.mark.root


def _pipes(count: int) -> list[int]:
    return [fd for _ in range(count) for fd in os.pipe()]


def _same(one: int, other: int) -> bool:
    return os.path.samestat(os.fstat(one), os.fstat(other))


def _give(sock: socket.socket, opened: World, fds: list[int], streams: list[int]) -> None:
    handover.send_world(sock, streams, opened, fds)


def test_every_descriptor_arrives_as_what_it_was_sent_as() -> None:
    here, there = sockets.pair()
    fds = _pipes(5)
    streams, root, door, bind, group, space = fds[:3], fds[3], fds[4], fds[5], fds[6], fds[7]
    opened: World = {"op": "world", "doors": 1, "binds": 1, "groups": ["cpu,cpuacct"], "joined": ["network"]}

    with here, there:
        _give(here, opened, [root, door, bind, group, space], streams)
        world = handover.World(there)

    assert world.joined == ["network"]
    got = [*world._streams, world._root, *world._doors.v1, *world._binds, world._groups[0][1], *world._namespaces]
    assert world._groups[0][0] == "cpu,cpuacct"
    assert all(_same(sent, received) for sent, received in zip(fds[:8], got, strict=True))
    for fd in (*fds, *got):
        os.close(fd)


def test_config_json_arrives_with_its_bundle() -> None:
    here, there = sockets.pair()
    reader, writer = os.pipe()

    with here, there:
        handover.send_document(here, "/bundle", reader)
        document = handover.Document(there)

    assert document.bundle == "/bundle"
    assert _same(document.config, reader)
    for fd in (reader, writer, document.config):
        os.close(fd)


def test_a_process_whose_parent_is_gone_ends() -> None:
    here, there = sockets.pair()
    here.close()
    child = os.fork()
    if child == 0:
        handover.Document(there)
        os._exit(0)
    there.close()

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 125
