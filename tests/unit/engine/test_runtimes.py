from __future__ import annotations

import pytest

from wharf.engine.runtimes import DEFAULT, OWN, Runtimes
from wharf.errors import InvalidArgument
from wharf.spec.shim_messages import OtherRuntime

CRUN: OtherRuntime = {"path": "/usr/bin/crun", "arguments": ["--debug"]}


def test_every_runtime_that_is_told_may_be_asked_for() -> None:
    runtimes = Runtimes({"crun": CRUN})

    assert DEFAULT in OWN
    assert runtimes.shown() == {
        **{name: {"path": "wharf-runtime"} for name in OWN},
        "crun": {"path": "/usr/bin/crun", "runtimeArgs": ["--debug"]},
    }
    assert [runtimes.find(name) for name in (*OWN, "", "crun")] == [None, None, None, None, CRUN]


def test_what_nobody_told_of_is_refused_in_dockers_words() -> None:
    with pytest.raises(InvalidArgument, match="unknown or invalid runtime name: kata"):
        Runtimes({}).require("kata")


def test_a_default_that_is_not_ours_is_recorded_with_the_container() -> None:
    runtimes = Runtimes({"crun": CRUN}, default="crun")

    assert runtimes.chosen({}) == {"Runtime": "crun"}
    assert runtimes.chosen({"Runtime": "runc"}) == {"Runtime": "runc"}
    assert Runtimes({"crun": CRUN}).chosen({}) == {}
