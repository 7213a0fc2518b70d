from __future__ import annotations

import resource

from wharf.shim import open_files


def test_this_process_may_have_as_many_as_its_hard_limit() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))

        assert open_files.raise_own() == (200, before[1])
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (before[1], before[1])
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_process_begins_with_the_limits_from_before_unless_it_has_its_own() -> None:
    core = {"type": "RLIMIT_CORE", "soft": 0, "hard": 0}
    own = {"type": "RLIMIT_NOFILE", "soft": 9, "hard": 9}

    assert open_files.begun_with({"rlimits": [core]}, (1024, 4096)) == {  # type: ignore[typeddict-item]
        "rlimits": [core, {"type": "RLIMIT_NOFILE", "soft": 1024, "hard": 4096}]
    }
    assert open_files.begun_with({"rlimits": [own]}, (1024, 4096)) == {"rlimits": [own]}  # type: ignore[typeddict-item]
    assert open_files.begun_with({}, None) == {}
