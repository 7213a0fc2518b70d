from __future__ import annotations

import pytest

from wharf.cli.flags import Flag, UsageError, parse

_FLAGS = (
    Flag("interactive", "bool", short="i"),
    Flag("tty", "bool", short="t"),
    Flag("rm", "bool"),
    Flag("sig-proxy", "bool", default=True),
    Flag("publish", "list", short="p"),
    Flag("name"),
    Flag("memory", "bytes", short="m"),
)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--foo"], "unknown flag: --foo"),
        (["-ix"], "unknown shorthand flag: 'x' in -ix"),
        (["--name"], "flag needs an argument: --name"),
        (["-m"], "flag needs an argument: 'm' in -m"),
        (["-m", "x"], 'invalid argument "x" for "-m, --memory" flag: invalid size: \'x\''),
        (["--rm=x"], 'invalid argument "x" for "--rm" flag: strconv.ParseBool: parsing "x": invalid syntax'),
    ],
)
def test_wrong_flag_is_refused_in_docker_s_words(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse(_FLAGS, words)

    assert str(raised.value) == message


def test_short_flags_may_be_joined_and_carry_their_value() -> None:
    values, rest = parse(_FLAGS, ["-itp8080:80", "-m=64m", "image"])

    got = (values.on("interactive"), values.on("tty"), values.items("publish"), values.number("memory"), rest)
    assert got == (True, True, ["8080:80"], 64 * 2**20, ["image"])


def test_bool_takes_a_value_only_behind_an_equals_sign() -> None:
    values, rest = parse(_FLAGS, ["--rm", "--sig-proxy=false", "false"])

    assert (values.on("rm"), values.on("sig-proxy"), rest) == (True, False, ["false"])


def test_flags_behind_the_image_are_the_container_s() -> None:
    values, rest = parse(_FLAGS, ["--name", "x", "image", "ls", "--rm"], interspersed=False)

    assert (values.on("rm"), rest) == (False, ["image", "ls", "--rm"])


def test_two_dashes_end_the_flags() -> None:
    assert parse(_FLAGS, ["a", "--", "--rm"])[1] == ["a", "--rm"]


def test_repeated_list_keeps_its_order() -> None:
    assert parse(_FLAGS, ["-p", "1", "--publish=2", "-p3"])[0].items("publish") == ["1", "2", "3"]
