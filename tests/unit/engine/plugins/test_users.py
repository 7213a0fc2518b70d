from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from wharf.engine.context import Context
from wharf.engine.plugins.record import PluginRecord
from wharf.engine.plugins.users import users
from wharf.lib.digest import Digest
from wharf.network.records import Network

RECORD = PluginRecord("1", "p:latest", "p:latest", Digest(""), {}, cast("Any", {}))


def _container(name: str, driver: str, *, alive: bool) -> object:
    host = {"LogConfig": {"Type": driver, "Config": {}}}
    return SimpleNamespace(name=name, spec=SimpleNamespace(host_config=host), state=SimpleNamespace(alive=alive))


def test_volumes_networks_and_the_logs_of_containers_that_run_use_a_plugin() -> None:
    found = {"p": RECORD, "p:latest": RECORD}
    context = SimpleNamespace(
        volumes=SimpleNamespace(of_driver={"p:latest": ["data"]}.get),
        registry=[
            _container("runs", "p", alive=True),
            _container("ended", "p", alive=False),
            _container("other", "json-file", alive=True),
        ],
        plugins=SimpleNamespace(find=found.get),
        networks=SimpleNamespace(
            all=lambda: [
                Network("1", "made", "p", "", remote=True),
                Network("2", "addressed", "bridge", "", ipam_driver="p:latest", address_space="x"),
                Network("3", "bridge", "bridge", ""),
            ]
        ),
    )
    assert [*users(cast("Context", context), RECORD)] == [
        "volume data",
        "network made",
        "network addressed",
        "the log of container runs",
    ]
