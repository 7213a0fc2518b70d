from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from wharf.engine import request
from wharf.errors import InvalidArgument


def test_a_container_of_a_programs_own_keeps_no_log_and_goes_when_it_ends() -> None:
    asked = request.container("busybox", environment={"A": "1"}, network="none", host_config={"Memory": 64 << 20})

    assert asked == {
        "Image": "busybox",
        "Env": ["A=1"],
        "HostConfig": {
            "LogConfig": {"Type": "none"},
            "Memory": 64 << 20,
            "AutoRemove": True,
            "NetworkMode": "none",
        },
    }


def test_a_log_that_is_asked_for_is_kept() -> None:
    asked = request.container(
        "busybox", environment=None, network="none", host_config={"LogConfig": {"Type": "json-file"}}
    )

    assert (asked.get("HostConfig") or {}).get("LogConfig") == {"Type": "json-file"}


def of(**given: object) -> Callable[[], object]:
    whole: dict[str, Any] = {"image": "x", "environment": None, "network": "none", "host_config": None, **given}
    return lambda: request.container(**whole)


def command(given: Any) -> Callable[[], object]:
    return lambda: request.arguments(given)


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (
            command("echo hi"),
            "command is 'echo hi': it must be a list of arguments, as ['echo', 'hi']; for a shell's",
        ),
        (command(["echo", 1]), "command has 1: an argument must be a str without NUL"),
        (command(["a\0b"]), "command has 'a\\x00b': an argument must be a str without NUL"),
        (of(environment=["A=1"]), "environment is ['A=1']: it must be a dict of names and values"),
        (of(environment={"A": 1}), "environment has A=1: a value must be a str without NUL"),
        (of(environment={"A=B": "1"}), "environment has 'A=B': a name must be a str without = and NUL"),
        (of(network=None), "network is None: it must be a name"),
        (of(host_config={"Memmory": 1}), "host_config has no 'Memmory': did you mean 'Memory'?"),
        (of(host_config={"zzz": 1}), "host_config has no 'zzz'"),
        (of(host_config={"Memory": "64m"}), "host_config: Expected `int | null`, got `str` - at `$.Memory`"),
        (of(host_config=["Memory"]), "host_config is ['Memory']: it must be a dict"),
        (lambda: request.fed("text"), "stdin is of type str: it must be bytes, as text.encode()"),  # type: ignore[arg-type]  # the mistake
    ],
)
def test_a_mistake_is_told_by_the_name_that_the_program_knows(mistake: Callable[[], object], told: str) -> None:
    with pytest.raises(InvalidArgument) as raised:
        mistake()

    assert str(raised.value).startswith(told)
