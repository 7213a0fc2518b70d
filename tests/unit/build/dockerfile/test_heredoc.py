from __future__ import annotations

import pytest

from wharf.build.dockerfile.heredoc import Heredoc, in_line, parse_word


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("<<EOF", Heredoc("EOF", expand=True, chomp=False)),
        ("<<-EOF", Heredoc("EOF", expand=True, chomp=True)),
        ('<<"E F"', Heredoc("E F", expand=False, chomp=False)),
        ("3<<E'O'F", Heredoc("EOF", expand=False, chomp=False, descriptor=3)),
        ("<<", None),
        ("a<<b", None),
        ("<<a b", None),
    ],
)
def test_a_word_begins_a_document_or_none(word: str, expected: Heredoc | None) -> None:
    assert parse_word(word) == expected


def test_documents_of_a_line_come_in_order() -> None:
    assert [found.name for found in in_line("RUN cat <<A '<<B' && x <<-C")] == ["A", "C"]


def test_leading_tabs_go_where_it_is_asked() -> None:
    content = "\ta\n\t\tb\n c\n"

    assert Heredoc("E", expand=True, chomp=True, content=content).text == "a\nb\n c\n"
    assert Heredoc("E", expand=True, chomp=False, content=content).text == content
