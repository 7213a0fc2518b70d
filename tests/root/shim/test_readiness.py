"""A process that makes itself ready to be a shim, looked at from outside."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from tests.root.inside import in_a_child

from wharf.shim.readiness import Readiness

pytestmark = pytest.mark.root


def test_it_has_a_session_and_a_name_of_its_own() -> None:
    def body() -> object:
        Readiness()
        return os.getsid(0) == os.getpid(), Path("/proc/self/comm").read_text()

    assert in_a_child(body) == repr((True, "wharf-shim\n"))


def test_an_orphan_is_its_child_and_its_end_is_told() -> None:
    def body() -> object:
        signal.signal(signal.SIGCHLD, lambda *_: None)
        ready = Readiness()
        ended: list[int] = []

        def on_signal() -> None:
            while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG)) is not None:
                ended.append(found.si_status)
                if len(ended) == 2:
                    ready.loop.stop()
                    return

        ready.on_signal = on_signal
        if (parent := os.fork()) == 0:
            if os.fork() == 0:
                while os.getppid() != os.getsid(0):  # until the one between is gone
                    os.sched_yield()
                os._exit(7)
            os._exit(0)
        ready.loop.run()
        return sorted(ended), parent > 0

    assert in_a_child(body) == repr(([0, 7], True))
