from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from wharf.shim.control import Kept, Refused


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.fixture
def opened() -> Callable[[int], list[int]]:
    return lambda count: [os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) for _ in range(count)]


def test_what_is_not_named_any_more_is_let_go_and_what_is_brought_again_replaced(
    opened: Callable[[int], list[int]],
) -> None:
    kept = Kept()
    first, second, third = opened(3)
    again, more = opened(2)
    kept.keep({"ports": ["a", "b", "c"]}, [first, second, third])

    brought = [again, more]
    kept.keep({"ports": ["a", "d", "b"]}, brought)

    assert brought == []
    assert sorted(kept.names) == ["a", "b", "d"]
    assert [_is_open(fd) for fd in (first, second, third, again, more)] == [False, True, False, True, True]
    kept.close()
    assert not any(_is_open(fd) for fd in (second, again, more))


def test_a_container_that_has_ended_keeps_nothing(opened: Callable[[int], list[int]]) -> None:
    kept = Kept()
    kept.close()
    brought = opened(1)

    with pytest.raises(Refused, match="not running"):
        kept.keep({"ports": ["a"]}, brought)

    assert len(brought) == 1  # whoever received it closes it
    os.close(brought[0])


def test_sockets_without_a_name_are_refused(opened: Callable[[int], list[int]]) -> None:
    brought = opened(2)

    with pytest.raises(ValueError, match="more sockets than ports"):
        Kept().keep({"ports": ["a"]}, brought)

    for fd in brought:
        os.close(fd)
