from __future__ import annotations

import pytest

from wharf.errors import InvalidArgument
from wharf.images.platform import Platform, acceptable, choose, host, normal, parse_platform, platform_of
from wharf.spec.oci_image import Descriptor
from wharf.spec.oci_image import Platform as PlatformDocument


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("linux/amd64", "linux/amd64"),
        ("linux/x86_64", "linux/amd64"),
        ("linux/amd64/v1", "linux/amd64"),
        ("linux/amd64/v3", "linux/amd64/v3"),
        ("linux/arm64/v8", "linux/arm64"),
        ("LINUX/AARCH64", "linux/arm64"),
        ("linux/arm", "linux/arm/v7"),
        ("linux/arm/6", "linux/arm/v6"),
        ("armel", "linux/arm/v6"),
        ("riscv64", "linux/riscv64"),
    ],
)
def test_a_platform_has_one_normal_form(text: str, expected: str) -> None:
    assert str(parse_platform(text)) == expected


def test_linux_alone_is_this_machine() -> None:
    assert parse_platform("linux") == host()


@pytest.mark.parametrize("text", ["", "a/b/c/d", "linux//v1", "linux/ amd64", "windows/amd64", "windows"])
def test_what_is_no_platform_of_ours_is_refused(text: str) -> None:
    with pytest.raises(InvalidArgument, match=r"platform|OS component|operating system"):
        parse_platform(text)


@pytest.mark.parametrize("text", ["macos", "Darwin", "macos/arm64", "windows"])
def test_other_systems_are_not_supported(text: str) -> None:
    with pytest.raises(InvalidArgument, match=f'^"{text}": operating system is not supported'):
        parse_platform(text)


def test_word_that_is_neither_a_system_nor_an_architecture_is_unknown() -> None:
    with pytest.raises(
        InvalidArgument, match=r'^"foobar": unknown operating system or architecture: invalid argument$'
    ):
        parse_platform("foobar")


def test_lower_variants_are_accepted_best_first() -> None:
    assert [str(p) for p in acceptable(normal("linux", "arm", "v7"))] == [
        "linux/arm/v7",
        "linux/arm/v6",
        "linux/arm/v5",
    ]
    assert [str(p) for p in acceptable(normal("linux", "amd64", "v3"))] == [
        "linux/amd64/v3",
        "linux/amd64/v2",
        "linux/amd64",
        "linux/386",
    ]


def of(architecture: str, variant: str = "") -> Descriptor:
    platform: PlatformDocument = {"os": "linux", "architecture": architecture, "variant": variant}
    return {"digest": architecture + variant, "platform": platform}


def test_the_best_of_several_is_chosen() -> None:
    listed = [of("386"), of("amd64"), of("arm", "v5"), of("arm", "v6"), of("arm64", "v8")]

    chosen = [
        (choose(listed, normal("linux", *name.split("/"))) or {}).get("digest")
        for name in ("amd64/v2", "arm/v7", "arm64", "s390x")
    ]
    assert chosen == ["amd64", "armv6", "arm64v8", None]


def test_one_that_names_no_platform_suits_when_nothing_else_does() -> None:
    assert choose([{"digest": "any"}], Platform("linux", "amd64")) == {"digest": "any"}


def test_an_attestation_is_of_no_platform() -> None:
    assert platform_of({"os": "unknown", "architecture": "unknown"}) is None
    assert platform_of(None) is None
