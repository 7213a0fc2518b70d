"""userns-remap: whose subordinate ids containers' users are."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path

import pytest

from wharf.engine.remap import find, free_range
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.remap import Remap

USER = pwd.getpwuid(1)
GROUP = grp.getgrgid(2)
IDS = Remap(((100_000, 65_536), (300_000, 10)), ((200_000, 65_536),))


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "subuid").write_text(f"{USER.pw_name}:100000:65536\nother:1:1\n{USER.pw_uid}:300000:10\n")
    (tmp_path / "subgid").write_text(f"{grp.getgrgid(USER.pw_gid).gr_name}:200000:65536\n{GROUP.gr_name}:7:8\n")
    return tmp_path


@pytest.mark.parametrize("text", [USER.pw_name, "1"])
def test_a_user_is_given_by_name_or_id_and_may_have_several_ranges(etc: Path, text: str) -> None:
    assert find(text, etc) == IDS


@pytest.mark.parametrize("group", [GROUP.gr_name, "2"])
def test_a_group_of_its_own_may_give_the_groups(etc: Path, group: str) -> None:
    assert find(f"{USER.pw_name}:{group}", etc) == Remap(IDS.uids, ((7, 8),))


def test_ids_may_be_given_themselves_by_a_program(etc: Path) -> None:
    assert find(IDS, etc) is IDS


@pytest.mark.parametrize("text", ["", "root"])
def test_nothing_and_root_remap_nobody(etc: Path, text: str) -> None:
    assert find(text, etc) is None


@pytest.mark.parametrize("text", [":", "a:", ":b"])
def test_half_an_answer_is_refused(etc: Path, text: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid userns-remap"):
        find(text, etc)


@pytest.mark.parametrize("text", ["nobody-knows", "99999999", f"{USER.pw_name}:nobody-knows"])
def test_who_is_not_there_is_said(etc: Path, text: str) -> None:
    with pytest.raises(NotFound, match="there is no"):
        find(text, etc)


def test_who_has_no_ids_to_give_is_told_how_to_get_some(etc: Path) -> None:
    (etc / "subuid").unlink()
    with pytest.raises(NotFound, match=f'no subuid ranges found for "{USER.pw_name}": add a line to /etc/subuid'):
        find(USER.pw_name, etc)


def test_a_plain_users_engine_refuses(etc: Path) -> None:
    with pytest.raises(InvalidArgument, match="in a user namespace already"):
        find("default", etc, rootless=True)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("", 100_000),
        ("a:100000:65536\n", 165_536),
        ("b:165536:65536\na:100000:65536\n", 231_072),
        ("a:120000:10\nnonsense\n", 120_010),
        ("a:500000:10\n", 100_000),
        ("a:100000:1\nb:1:99999\n", 100_001),
    ],
)
def test_new_ids_are_nobodys_yet(text: str, first: int) -> None:
    assert free_range(text) == first
