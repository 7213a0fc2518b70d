from __future__ import annotations

import pytest

from wharf.build.dockerfile.flags import Flags
from wharf.errors import InvalidArgument


def test_flags_are_read_by_their_kind() -> None:
    flags = Flags(["--link", "--chown=a:b", "--exclude=x", "--exclude=y", "--", "--no"], _KNOWN)

    assert flags.on("link")
    assert flags.choice("parents") is None
    assert flags.text("chown") == "a:b"
    assert flags.all("exclude") == ("x", "y")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("--lnk", "unknown flag: --lnk (did you mean link?)"),
        ("--chown", "missing a value on flag: --chown"),
        ("--link=", "missing a value on flag: --link"),
        ("--link=maybe", "expecting boolean value for flag --link, not: maybe"),
        ("x", "arg should start with -- : x"),
    ],
)
def test_what_a_flag_cannot_be_is_refused(word: str, said: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Flags([word], _KNOWN)

    assert str(caught.value) == said


def test_a_flag_is_given_once() -> None:
    with pytest.raises(InvalidArgument, match="duplicate flag specified: --link"):
        Flags(["--link", "--link=false"], _KNOWN)


_KNOWN = {"link": "bool", "parents": "bool", "chown": "string", "exclude": "list"}
