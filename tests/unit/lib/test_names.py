from __future__ import annotations

import re

from wharf.lib.names import random_name


def test_a_random_name_is_a_valid_container_name() -> None:
    assert all(re.fullmatch(r"[a-z]+_[a-z]+", random_name(0)) for _ in range(50))


def test_later_tries_end_in_a_digit() -> None:
    assert random_name(1)[-1].isdigit()
