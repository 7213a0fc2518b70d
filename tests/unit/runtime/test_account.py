from __future__ import annotations

import os
from pathlib import Path

import pytest

from wharf.runtime.account import Account, look_up, resolve
from wharf.runtime.errors import StartFailed

PASSWD = [
    ["root", "x", "0", "0", "", "/root", "/bin/sh"],
    ["app", "x", "1000", "1000", "", "/home/app", "/bin/sh"],
    ["bad", "x", "-3", "1", "", "/", ""],
]
GROUP = [
    ["root", "x", "0", ""],
    ["app", "x", "1000", ""],
    ["wheel", "x", "10", "root,app"],
    ["www", "x", "33", "app"],
]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nobody", "unable to find user nobody: no matching entries in passwd file"),
        ("app:staff", "unable to find group staff: no matching entries in group file"),
        ("4294967296", "uids and gids must be in range 0-2147483647"),
        ("bad", "uids and gids must be in range 0-2147483647"),
    ],
)
def test_unknown_names_are_refused_in_dockers_words(name: str, message: str) -> None:
    with pytest.raises(StartFailed, match=message):
        resolve(name, PASSWD, GROUP)


@pytest.mark.parametrize(
    ("name", "account"),
    [
        ("", Account(0, 0, [10], "/root")),
        ("app", Account(1000, 1000, [10, 33], "/home/app")),
        ("1000", Account(1000, 1000, [10, 33], "/home/app")),
        ("app:www", Account(1000, 33, [], "/home/app")),
        ("app:77", Account(1000, 77, [], "/home/app")),
        ("4711", Account(4711, 0, [], "")),
        ("4711:www", Account(4711, 33, [], "")),
    ],
)
def test_names_and_numbers_mean_what_docker_makes_of_them(name: str, account: Account) -> None:
    assert resolve(name, PASSWD, GROUP) == account


@pytest.mark.parametrize(
    ("name", "groups"), [("0", [0, 10]), ("app", [1000, 10, 33]), ("app:www", [33]), ("4711", [0])]
)
def test_the_own_group_is_among_the_groups(tmp_path: Path, name: str, groups: list[int]) -> None:
    (tmp_path / "etc").mkdir()
    for file, lines in (("passwd", PASSWD), ("group", GROUP)):
        (tmp_path / "etc" / file).write_text("".join(f"{':'.join(line)}\n" for line in lines))
    root = os.open(tmp_path, os.O_PATH)
    try:
        found = look_up(root, {"uid": 0, "gid": 0, "username": name})
        plain = look_up(root, {"uid": 1000, "gid": 1000})
    finally:
        os.close(root)

    assert (found.groups, plain.groups) == (groups, [])
