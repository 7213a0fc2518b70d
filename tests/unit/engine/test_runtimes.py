from __future__ import annotations

from wharf.engine.containers import validate
from wharf.engine.runtimes import DEFAULT, RUNTIMES


def test_every_runtime_that_is_told_may_be_asked_for() -> None:
    assert DEFAULT in RUNTIMES
    for name in RUNTIMES:
        validate.host_config({"Runtime": name})
