from __future__ import annotations

import pytest

from wharf.errors import NotFound
from wharf.images.apt_sources import AptSource, parse_sources, select, without_credentials

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_DEB822 = f"""\
# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
# in between
 contrib
Signed-By: {_KEYRING}

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://vendor.example/debian
Suites: bookworm
Components: main
Signed-By: /etc/apt/keyrings/vendor.gpg
"""
_LINES = f"""\
deb [arch=amd64 signed-by={_KEYRING}] http://one.example/x bookworm main contrib # why
deb-src http://one.example/debian bookworm main
# deb http://no.example/debian bookworm main
deb http://other.example/debian trixie main
deb http://vendor.example/apt bookworm main
"""


def test_stanzas_are_read_and_strangers_left_out() -> None:
    chosen = select(parse_sources({"a.sources": _DEB822}), "bookworm")

    assert chosen == [
        AptSource("http://mirror.example/debian", "bookworm", ("main", "contrib"), _KEYRING),
        AptSource("http://mirror.example/debian", "bookworm-updates", ("main", "contrib"), _KEYRING),
        AptSource("http://mirror.example/debian-security", "bookworm-security", ("main",)),
    ]


def test_lines_are_read_and_strangers_left_out() -> None:
    chosen = select(parse_sources({"sources.list": _LINES}), "bookworm")

    assert [source.line() for source in chosen] == [
        f"deb [signed-by={_KEYRING}] http://one.example/x bookworm main contrib"
    ]


def test_a_suite_without_sources_says_what_to_do() -> None:
    with pytest.raises(
        NotFound, match=r"no Debian source for sid: add one.*choose one that it has: bookworm, trixie"
    ):
        select(parse_sources({"sources.list": _LINES}), "sid")


def test_passwords_are_taken_out() -> None:
    assert without_credentials("deb http://me:secret@host/debian x") == "deb http://host/debian x"
