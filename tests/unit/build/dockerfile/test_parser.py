from __future__ import annotations

import pytest

from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.parser import parse, parse_line


def test_lines_are_joined_and_comments_dropped() -> None:
    found = parse("# about\nRUN a \\\n  # not this\n  b \\\n\n  c\n\nCMD x\n")

    assert [(s.name, s.args, s.lines) for s in found.statements] == [
        ("RUN", ("a   b   c",), (2, 6)),
        ("CMD", ("x",), (8, 8)),
    ]
    assert found.statements[0].comments == ("about",)
    assert [warning.rule for warning in found.warnings] == ["NoEmptyContinuation"]


def test_the_escape_character_can_be_chosen() -> None:
    found = parse("# escape=`\nRUN a `\n b\\\n")

    assert (found.escape, found.statements[0].args) == ("`", ("a  b\\",))


def test_documents_follow_their_statement() -> None:
    found = parse("COPY <<A <<-B /x\n1\nA\n\t2\n\tB\nRUN <<'C'\n$3\nC\nONBUILD RUN <<D\n4\nD\n")

    assert [[(d.name, d.text, d.expand) for d in s.heredocs] for s in found.statements] == [
        [("A", "1\n", True), ("B", "2\n", True)],
        [("C", "$3\n", False)],
        [("D", "4\n", True)],
    ]


def test_carriage_returns_and_a_byte_order_mark_are_no_part_of_it() -> None:
    assert parse(b"\xef\xbb\xbfRUN a \\\r\n b\r\n").statements[0].args == ("a  b",)


@pytest.mark.parametrize(
    ("text", "said", "lines"),
    [
        ("", "file with no instructions", (0, 0)),
        ("# only\n", "file with no instructions", (1, 1)),
        ("RUN a\nENV b\n", "ENV must have two arguments", (2, 2)),
        ("RUN <<A\nb\n", "unterminated heredoc", (1, 2)),
        ("# escape=x\nRUN a", "invalid escape token 'x' does not match ` or \\", (1, 1)),
    ],
)
def test_what_is_wrong_is_told_with_its_lines(text: str, said: str, lines: tuple[int, int]) -> None:
    with pytest.raises(DockerfileError) as caught:
        parse(text)

    assert (str(caught.value), caught.value.lines) == (said, lines)


def test_a_trigger_is_a_statement_in_a_statement() -> None:
    found = parse_line("ONBUILD COPY --link a b")

    assert found.child is not None
    assert (found.child.name, found.child.flags, found.child.args) == ("COPY", ("--link",), ("a", "b"))


@pytest.mark.parametrize("text", [b"FROM a\nCOPY caf\xe9 /\n", b"FROM a\nRUN <<X\ncaf\xe9\nX\n"])
def test_an_instruction_that_is_not_utf_8_is_refused_with_its_line(text: bytes) -> None:
    with pytest.raises(DockerfileError, match=r"the instruction is not UTF-8: (COPY )?caf\\xe9") as failure:
        parse(text)
    assert failure.value.lines[0] == 2


def test_comments_and_files_need_not_be_utf_8() -> None:
    copied = parse(b"# caf\xe9\nFROM a\nCOPY <<X /\ncaf\xe9\nX\n").statements
    assert (copied[0].comments, copied[1].heredocs[0].content.encode("utf-8", "surrogateescape")) == (
        (r"caf\xe9",),
        b"caf\xe9\n",
    )
