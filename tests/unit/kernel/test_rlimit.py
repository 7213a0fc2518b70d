from __future__ import annotations

import resource

import pytest

from wharf.kernel.rlimit import NUMBER_OF, set_clipped


def test_numbers_are_those_of_the_machine() -> None:
    known = {name: getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")}
    known.pop("RLIMIT_OFILE")  # an old name of NOFILE

    assert {**known, "RLIMIT_LOCKS": 10} == NUMBER_OF


def test_a_limit_is_set_as_asked() -> None:
    before = resource.getrlimit(resource.RLIMIT_CORE)
    try:
        exact = set_clipped(resource.RLIMIT_CORE, 0, before[1] if before[1] >= 0 else -1)

        assert (exact, resource.getrlimit(resource.RLIMIT_CORE)) == (True, (0, before[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)


def test_a_soft_limit_above_the_hard_one_is_an_error() -> None:
    with pytest.raises(OSError, match="Invalid argument"):
        set_clipped(resource.RLIMIT_CORE, 2, 1)
