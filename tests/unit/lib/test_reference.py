from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.lib.reference import id_prefix, parse_reference

_D = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("busybox", "docker.io/library/busybox", "busybox"),
        ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
        ("me/app", "docker.io/me/app", "me/app"),
        ("docker.io/busybox", "docker.io/library/busybox", "busybox"),
        ("index.docker.io/me/app", "docker.io/me/app", "me/app"),
        ("library/busybox", "docker.io/library/busybox", "busybox"),
        ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
        ("localhost/app", "localhost/app", "localhost/app"),
        ("host:5000/app:v1", "host:5000/app:v1", "host:5000/app:v1"),
        ("[2001:db8::1]:5000/app", "[2001:db8::1]:5000/app", "[2001:db8::1]:5000/app"),
        ("a.b/c/d__e--f.g@" + _D, "a.b/c/d__e--f.g@" + _D, "a.b/c/d__e--f.g@" + _D),
        ("a:t@" + _D, f"docker.io/library/a:t@{_D}", f"a:t@{_D}"),
        ("UP/app", "UP/app", "UP/app"),
    ],
)
def test_a_reference_has_a_canonical_and_a_familiar_form(text: str, canonical: str, familiar: str) -> None:
    reference = parse_reference(text)

    assert (str(reference), reference.familiar) == (canonical, familiar)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "invalid reference format"),
        ("a:", "invalid reference format"),
        ("a:b:c", "invalid reference format"),
        ("a@sha256:abc", "invalid reference format"),
        ("a//b", "invalid reference format"),
        ("/a", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a___b", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("a\n", "invalid reference format"),
        ("a:" + "t" * 129, "invalid reference format"),
        ("Busybox", r"invalid reference format: repository name \(library/Busybox\) must be lowercase"),
        ("a" * 300, "repository name must not be more than 255 characters"),
        ("a" * 64, "cannot specify 64-byte hexadecimal strings"),
    ],
)
def test_what_is_no_reference_is_refused_in_dockers_words(text: str, error: str) -> None:
    with pytest.raises(InvalidArgument, match=error):
        parse_reference(text)


def test_the_default_tag_is_latest() -> None:
    assert parse_reference("a").with_default_tag().familiar == "a:latest"
    assert parse_reference("a@" + _D).with_default_tag().familiar == "a@" + _D


@pytest.mark.parametrize("tag", ["", "a b", "-a", "a" * 129])
def test_a_malformed_tag_is_refused(tag: str) -> None:
    with pytest.raises(InvalidArgument, match="invalid tag format"):
        parse_reference("a").with_tag(tag)


def test_an_id_is_told_from_a_name() -> None:
    assert [id_prefix(t) for t in ("abc", "sha256:ab", "a" * 64, "xyz", "ABC", "")] == [
        "abc",
        "ab",
        "a" * 64,
        None,
        None,
        None,
    ]
