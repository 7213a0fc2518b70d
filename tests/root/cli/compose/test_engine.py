from __future__ import annotations

from threading import Thread

import pytest
from tests.root.wharfd import Wharfd

from wharf.cli.command import Session
from wharf.cli.compose.engine import engine_of

pytestmark = pytest.mark.root


def test_threads_have_connections_of_their_own_and_agree_on_a_version(daemon: Wharfd) -> None:
    session = Session(f"unix://{daemon.socket}", explicit_host=True)
    versions: list[str] = []
    with engine_of(session) as engine:
        threads = [Thread(target=lambda: versions.append(engine.client.version)) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    session.client.close()

    assert versions == [session.client.version] * 3
