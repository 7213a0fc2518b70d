"""What goes over to an embryo, over a real socket."""

from __future__ import annotations

import os
import socket

import pytest

from wharf.kernel import sockets
from wharf.runtime import handover
from wharf.runtime.mount_options import parse
from wharf.runtime.mounts import MountPlan
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
    fds = _pipes(3)
    streams, root, bind, space = fds[:3], fds[3], fds[4], fds[5]
    opened: World = {"op": "world", "binds": 1, "joined": ["network"]}

    with here, there:
        _give(here, opened, [root, bind, space], streams)
        world = handover.World(there)

    assert world.joined == ["network"]
    got = [*world._streams, world._root, *world._binds, *world._namespaces]
    assert all(_same(sent, received) for sent, received in zip(fds, got, strict=True))
    for fd in (*fds, *got):
        os.close(fd)


def test_the_control_group_is_entered_once_when_its_message_is_there() -> None:
    here, there = sockets.pair()
    (reader, door), (group, other) = os.pipe(), os.pipe()

    with here, there:
        handover.send_groups(here, {"op": "groups", "doors": 1, "mounts": ["cpu,cpuacct"]}, [door, group])
        groups = handover.Groups(there)
        groups.enter()
        mounts = groups.mounts()
    os.close(door)

    assert os.read(reader, 10) == b"0"
    ((name, received),) = mounts
    assert name == "cpu,cpuacct"
    assert _same(received, group)
    for fd in (reader, group, other, received):
        os.close(fd)


def _mounts(*places: str) -> list[MountPlan]:
    kinds = {"/sys/fs/cgroup": "cgroup"}
    return [MountPlan(place, kinds.get(place, "tmpfs"), "none", parse(())) for place in places]


@pytest.mark.parametrize(
    ("places", "order"),
    [
        (("/proc", "/sys", "/sys/fs/cgroup", "/dev/shm", "/etc/hosts"), (0, 1, 3, 4, 2)),
        (("/sys/fs/cgroup", "/tmp", "/sys/fs/cgroup/memory", "/etc"), (1, 0, 2, 3)),
        (("/sys/fs/cgroup", "/tmp", "/sys", "/etc"), (1, 0, 2, 3)),
        (("/sys/fs/cgroup", "/tmp", "/", "/etc"), (1, 0, 2, 3)),
        (("/sys/fs/cgroup", "/sys/fs/cgroups", "/etc"), (1, 2, 0)),
        (("/proc", "/etc"), (0, 1)),
    ],
)
def test_mounts_that_would_notice_stay_behind_those_of_control_groups(
    places: tuple[str, ...], order: tuple[int, ...]
) -> None:
    plans = _mounts(*places)

    assert handover.with_groups_last(plans) == [plans[number] for number in order]


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
