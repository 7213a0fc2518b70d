from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.runtime.commands import show


def test_ps_shows_the_heading_and_the_containers_processes() -> None:
    lines = ["UID   PID  CMD", "root    1  init", "root   12  sh", "root  120  sleep 12"]

    assert show.rows_of(lines, [12]) == [lines[0], lines[2]]


def test_ps_needs_the_column_of_ids() -> None:
    with pytest.raises(InvalidArgument, match="couldn't find PID field"):
        show.rows_of(["UID CMD"], [1])
