from __future__ import annotations

from typing import Any

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime.cli import Call
from wharf.runtime.commands import lifecycle
from wharf.runtime.log import Log


def call(*arguments: str, **given: Any) -> Call:
    options = {f"--{name.replace('_', '-')}": value for name, value in given.items()}
    return Call("/nonexistent", options, list(arguments), Log("", "text"))


@pytest.mark.parametrize("arguments", [(), ("a", "b")])
def test_a_command_is_about_one_container(arguments: tuple[str, ...]) -> None:
    with pytest.raises(InvalidArgument, match="start requires exactly 1 argument"):
        lifecycle.start(call(*arguments))


def test_options_are_read_as_runc_reads_them() -> None:
    asked = lifecycle.asked(call("c1", preserve_fds=2, no_pivot=True, no_new_keyring=True, pid_file="p"))

    assert (asked.preserve_fds, asked.pivot, asked.keyring, asked.pid_file) == (2, False, False, "p")


def test_fewer_than_no_descriptors_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="must not be negative"):
        lifecycle.asked(call("c1", preserve_fds=-1))


def test_an_unknown_signal_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="invalid signal: NOPE"):
        lifecycle.kill(call("c1", "NOPE"))
