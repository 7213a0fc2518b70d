"""Addresses are told without who logs in with them."""

from __future__ import annotations

import pytest

from wharf.lib.logins import without_login


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("http://me:secret@proxy:3128", "http://xxxxx:xxxxx@proxy:3128"),
        ("http://me@proxy", "http://xxxxx:xxxxx@proxy"),
        ("http://proxy:3128", "http://proxy:3128"),
        ("a@b", "a@b"),
        ("", ""),
    ],
)
def test_user_and_password_are_blotted_out(address: str, told: str) -> None:
    assert without_login(address) == told
