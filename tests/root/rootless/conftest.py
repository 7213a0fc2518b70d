from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from tests.root.rootless.plain_user import PlainUser


@pytest.fixture(scope="module")
def uplink() -> Iterator[str]:
    """An interface with a default route and an address, as every machine has one; yields the address."""
    commands = (
        "ip link add wharf-up0 type veth peer name wharf-up1",
        "ip address add 203.0.113.2/24 dev wharf-up0",
        "ip link set wharf-up0 up",
        "ip link set wharf-up1 up",
        "ip route add default via 203.0.113.1",
    )
    for command in commands:
        subprocess.run(command.split(), check=True)
    yield "203.0.113.2"
    subprocess.run(["ip", "link", "delete", "wharf-up0"], check=True)


@pytest.fixture
def plain_user(uplink: str) -> Iterator[Callable[..., PlainUser]]:
    """Makes plain users, whose engines are ended and who leave nothing running."""
    made: list[PlainUser] = []

    def make(**options: Any) -> PlainUser:
        made.append(PlainUser(**options))
        return made[-1]

    yield make
    for user in made:
        if (user.data_root / "engine.lock").exists():
            with suppress(ProcessLookupError):
                os.kill(user.engine_pid(), signal.SIGTERM)
        try:
            user.await_end()
        finally:
            user.remove()
