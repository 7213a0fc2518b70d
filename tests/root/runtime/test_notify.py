"""A filter whose questions an agent answers: mkdir is asked about, and the agent says no."""

from __future__ import annotations

import array
import fcntl
import json
import os
import socket
import struct
import threading
from typing import Any, Self

import pytest
from tests.root.runtime.conftest import Bundle

from wharf.runtime.errors import StartFailed
from wharf.runtime.invocation import Invocation

pytestmark = pytest.mark.root

_RECV, _SEND = 0xC0502100, 0xC0182101
STATE: Any = {"ociVersion": "1.3.0", "id": "c1", "bundle": "/b", "annotations": {}}


class Agent:
    """Answers EEXIST to everything it is asked."""

    def __init__(self, path: str) -> None:
        self.state: Any = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        with connection:
            data, ancillary, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
            if not ancillary:
                return
            (fd,) = array.array("i", ancillary[0][2])
            while more := connection.recv(65536):
                data += more
        self.state = json.loads(data)
        asked = bytearray(80)
        try:
            while True:
                asked[:] = bytes(80)
                fcntl.ioctl(fd, _RECV, asked)
                (identity,) = struct.unpack_from("Q", asked)
                fcntl.ioctl(fd, _SEND, struct.pack("QqiI", identity, 0, -17, 0))
        except OSError:  # ENOENT: the last process has gone
            os.close(fd)


@pytest.mark.parametrize("late", [False, True])
def test_an_agent_answers(bundle: Bundle, late: bool) -> None:
    path = f"{bundle.path}/agent.sock"
    spec = bundle.spec(["mkdir", "/x"], noNewPrivileges=late)
    spec["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW",
        "listenerPath": path,
        "listenerMetadata": "M",
        "syscalls": [{"names": ["mkdir", "mkdirat", "sendmsg"], "action": "SCMP_ACT_NOTIFY"}],
    }
    if not late:  # before the filter is there nothing of ours may be a question: the agent says no to all
        spec["linux"]["seccomp"]["syscalls"][0]["names"].remove("sendmsg")
    with Agent(path) as agent:
        outcome = bundle.run(spec, invocation=Invocation(state=STATE))

    assert (outcome.code, outcome.output) == (1, "mkdir: can't create directory '/x': File exists\n")
    assert (agent.state["fds"], agent.state["metadata"], agent.state["state"]["id"]) == (["seccompFd"], "M", "c1")
    assert agent.state["pid"] == agent.state["state"]["pid"] > 1


def test_without_an_agent_there_is_no_container(bundle: Bundle) -> None:
    spec = bundle.spec(["true"])
    spec["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_NOTIFY", "listenerPath": f"{bundle.path}/nobody"}

    with pytest.raises(StartFailed, match="error connecting to the seccomp agent"):
        bundle.create(spec, invocation=Invocation(state=STATE))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"defaultAction": "SCMP_ACT_NOTIFY"}, "listenerPath is needed"),
        ({"defaultAction": "SCMP_ACT_ALLOW", "listenerMetadata": "x"}, "listenerPath is not"),
    ],
)
def test_an_agent_that_cannot_be_is_refused(bundle: Bundle, document: Any, message: str) -> None:
    spec = bundle.spec(["true"])
    spec["linux"]["seccomp"] = document

    with pytest.raises(StartFailed, match=message):
        bundle.create(spec)
