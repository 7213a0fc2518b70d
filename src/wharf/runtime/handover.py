"""What an embryo is given by its parent: descriptors, for it has left the host's mounts; in three messages.

::

    "document"  the bundle's folder                                config.json
    "world"     how many streams, then the engine's own message    streams … │ what that message says …
    "groups"    the engine's own message                           what it says

The embryo works out its plan with the first while the engine opens what the second brings, and makes its mounts with
that while the engine makes the control group.
"""

from __future__ import annotations

import os

from wharf.kernel import namespace
from wharf.kernel.cgroup.entry import Entry
from wharf.kernel.namespace import FLAG_OF
from wharf.kernel.unix_socket import MOST_FDS
from wharf.lib import light_json
from wharf.runtime import birth, console, conversation
from wharf.runtime.errors import during_init
from wharf.runtime.prepared import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from wharf.kernel.unix_socket import Socket
    from wharf.runtime.init import InitPlan
    from wharf.runtime.mounts import MountPlan
    from wharf.spec.shim_messages import Groups as Made
    from wharf.spec.shim_messages import World as Opened

_FAILED: Final = 125


def send_document(sock: Socket, bundle: str, config: int) -> None:
    """Send the first message; ``config`` is a descriptor of config.json.

    Raises:
        OSError: nobody is there any more.
    """
    conversation.send(sock, "document", bundle, fds=[config])


def send_world(sock: Socket, streams: Sequence[int], opened: Opened, fds: Sequence[int]) -> None:
    """Send the second message.

    Args:
        sock: to the embryo.
        streams: its 0, 1 and 2; none: it opens a terminal.
        opened: what the engine has opened.
        fds: the descriptors of that.

    Raises:
        OSError: nobody is there any more.
    """
    conversation.send(sock, "world", str(len(streams)), light_json.dumps(opened), fds=[*streams, *fds])


def send_groups(sock: Socket, groups: Made, fds: Sequence[int]) -> None:
    """Send the third message: what the engine has said of the control group, and the descriptors of that.

    Raises:
        OSError: nobody is there any more.
    """
    conversation.send(sock, "groups", light_json.dumps(groups), fds=fds)


class Document:
    """The first message, as the embryo has it."""

    __slots__ = ("bundle", "config")

    def __init__(self, sock: Socket) -> None:
        """Wait for it; the process ends when there is nobody any more who could send it."""
        fields, (self.config,) = _receive(sock)
        self.bundle = fields[1]


class World:
    """The second message.

    Attributes:
        joined: the kinds of namespaces that are not the embryo's own.
    """

    __slots__ = ("_binds", "_namespaces", "_root", "_streams", "joined")

    def __init__(self, sock: Socket) -> None:
        """Wait for it, as for :class:`Document`."""
        fields, fds = _receive(sock)
        opened: Opened = light_json.loads(fields[2])  # type: ignore[assignment]  # the engine is trusted
        rest = iter(fds)
        self._streams = [next(rest) for _ in range(int(fields[1]))]
        self._root = next(rest)
        self._binds = [next(rest) for _ in range(opened["binds"])]
        self._namespaces = list(rest)
        self.joined = opened["joined"]

    def enter(self, plan: InitPlan) -> None:
        """Take the streams, go into the namespaces, and let the plan have the rest.

        Raises:
            StartFailed: the kernel refused.
        """
        if self._streams:
            console.use_descriptors((self._streams[0], self._streams[1], self._streams[2]))
        birth.enter_group(None, plan.process.oom)
        try:
            for kind, fd in zip(self.joined, self._namespaces, strict=True):
                namespace.setns(fd, FLAG_OF[kind])
        except OSError as error:
            raise during_init(error, "error joining namespaces") from error
        plan.root.path, plan.root.opened = ROOT, self._root
        for one, fd in zip((one for one in plan.mounts if one.fstype == "bind"), self._binds, strict=True):
            one.opened = fd


class Groups:
    """The third message, awaited when it is needed."""

    __slots__ = ("_mounts", "_sock")

    def __init__(self, sock: Socket) -> None:
        self._sock = sock
        self._mounts: list[tuple[str, int]] | None = None

    def enter(self) -> None:
        """Go into the control group, once.

        Raises:
            StartFailed: the kernel refused.
        """
        self.mounts()

    def mounts(self) -> list[tuple[str, int]]:
        """Return each v1 hierarchy's name and the container's group in it, detached, from within the group."""
        if self._mounts is None:
            fields, fds = _receive(self._sock)
            made: Made = light_json.loads(fields[1])  # type: ignore[assignment]  # the engine is trusted
            count = made["doors"]
            birth.enter_group(Entry(fds[:count], -1), None)
            self._mounts = list(zip(made["mounts"], fds[count:], strict=True))
        return self._mounts


def with_groups_last(mounts: list[MountPlan]) -> list[MountPlan]:
    """Return the mounts with those of control groups at the end, where none of those behind them would notice.

    So what does not depend on the control group need not wait until it is made.
    """
    kept: list[MountPlan] = []
    groups: list[MountPlan] = []
    for one in mounts:
        if groups and any(_touch(one.destination, other.destination) for other in groups):
            kept += groups
            groups = []
        (groups if one.fstype == "cgroup" else kept).append(one)
    return kept + groups


def _touch(one: str, other: str) -> bool:
    """Whether one path is the other, or below it. They are not resolved: symlinks of an image lead nowhere new."""
    one, other = f"{one.rstrip('/')}/", f"{other.rstrip('/')}/"
    return one.startswith(other) or other.startswith(one)


def _receive(sock: Socket) -> tuple[list[str], list[int]]:
    fields, fds = conversation.receive(sock, MOST_FDS)
    if not fields:
        os._exit(_FAILED)
    return fields, fds
