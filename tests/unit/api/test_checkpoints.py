from __future__ import annotations

from tests.unit.api.test_server import ask

_ASKED = {"CheckpointID": "c1", "CheckpointDir": "", "Exit": True}


def test_a_container_is_saved() -> None:
    answer, calls = ask("POST", "/v1.51/containers/box/checkpoints", _ASKED, containers_checkpoint=None)

    assert answer.status == 201
    assert calls == [("containers.checkpoint", ("box", _ASKED), {})]


def test_what_was_saved_is_listed_and_forgotten() -> None:
    found = [{"Name": "c1"}]
    answer, calls = ask("GET", "/containers/box/checkpoints?dir=/there", containers_checkpoints=found)
    assert (answer.status, answer.json) == (200, found)
    assert calls == [("containers.checkpoints", ("box",), {"folder": "/there"})]

    answer, calls = ask("DELETE", "/containers/box/checkpoints/c1", containers_remove_checkpoint=None)
    assert answer.status == 204
    assert calls == [("containers.remove_checkpoint", ("box", "c1"), {"folder": ""})]


def test_start_may_bring_one_back() -> None:
    target = "/containers/box/start?checkpoint=c1&checkpoint-dir=/there"
    answer, calls = ask("POST", target, containers_start=None)

    assert answer.status == 204
    assert calls == [("containers.start", ("box",), {"detach_keys": None, "saved": "c1", "saved_dir": "/there"})]
