from __future__ import annotations

import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fakes.plugin import fake_plugin

from wharf.errors import Unavailable, WharfError
from wharf.plugins.calls import Address, call


def test_a_plugin_is_asked_and_its_error_is_told(tmp_path: Path) -> None:
    address = Address(f"unix://{tmp_path}/a.sock")
    with fake_plugin(tmp_path / "a.sock") as plugin:
        plugin.answers = {"/Kind.Verb": {"Said": "yes"}, "/Kind.Other": {"Err": "no space"}}

        assert call("plugin a", address, "/Kind.Verb", {"A": 1}) == {"Said": "yes"}
        with pytest.raises(WharfError, match=r"Kind\.Other: no space"):
            call("plugin a", address, "/Kind.Other", {})
        assert plugin.asked == [("/Kind.Verb", {"A": 1}), ("/Kind.Other", {})]


def test_one_of_the_engines_own_is_waited_for_while_it_is_started_anew(tmp_path: Path) -> None:
    with ExitStack() as started:
        later = threading.Timer(0.05, lambda: started.enter_context(fake_plugin(tmp_path / "a.sock")))
        later.start()

        assert call("plugin a", Address(f"unix://{tmp_path}/a.sock", name="a:latest"), "/Kind.Verb", {}) == {}
        later.join()


def test_one_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"the plugin a does not answer at unix://.*a\.sock"):
        call("plugin a", Address(f"unix://{tmp_path}/a.sock"), "/Kind.Verb", {})
