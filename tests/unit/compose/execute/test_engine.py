from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from wharf.client.client import Client
from wharf.compose.execute.engine import Engine


def test_each_thread_has_one_client_and_all_are_closed() -> None:
    made: list[Client] = []

    def connect() -> Client:
        made.append(Client("unix:///nowhere", version="1.50"))
        return made[-1]

    with Engine(connect) as engine:
        assert engine.client is engine.client
        with ThreadPoolExecutor(max_workers=1) as pool:
            other = pool.submit(lambda: engine.client).result()

    assert [engine.client, other] == made
    for noun in (engine.containers, engine.execs, engine.images, engine.networks, engine.volumes, engine.system):
        assert noun is not None
