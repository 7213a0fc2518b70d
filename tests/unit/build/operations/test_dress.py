from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.build.operations.dress import Dress


@pytest.fixture
def status(tmp_path: Path) -> os.stat_result:
    file = tmp_path / "f"
    file.touch(0o640)
    os.utime(file, ns=(5, 6))
    return file.stat()


def test_what_is_not_said_is_the_sources(status: os.stat_result) -> None:
    dress = Dress()

    assert dress.keeps(status)
    assert (dress.owner(status), dress.permissions(status), dress.times(status)) == (
        (status.st_uid, status.st_gid),
        0o640,
        (6, 6),
    )


def test_what_is_said_counts(status: os.stat_result) -> None:
    dress = Dress(7, 8, "g-r,o+x", 9)

    assert not dress.keeps(status)
    assert (dress.owner(status), oct(dress.permissions(status)), dress.times(status)) == ((7, 8), "0o601", (9, 9))


def test_a_folder_made_for_copies_takes_a_number_for_its_mode_and_nothing_of_the_source(
    status: os.stat_result,
) -> None:
    plain, said = Dress(mode="u+s").of_a_parent(), Dress(3, 4, "0710").of_a_parent()

    assert (plain.owner(status), oct(plain.permissions(status))) == ((0, 0), "0o755")
    assert (said.owner(status), oct(said.permissions(status))) == ((3, 4), "0o710")
