"""A command written as one text, split into words as a shell would; no variables, no globs."""

from __future__ import annotations

from wharf.errors import InvalidArgument

_IN_DOUBLE = '"\\$`\n'


def split_words(text: str) -> list[str]:
    """Return the words of ``text``: quotes group, a backslash takes the next character as it is.

    Raises:
        InvalidArgument: a quote is not closed.
    """
    words: list[str] = []
    word: list[str] | None = None
    at = 0
    while at < len(text):
        char = text[at]
        if char in " \t\n\r":
            if word is not None:
                words.append("".join(word))
            word, at = None, at + 1
            continue
        word = [] if word is None else word
        if char in "'\"":
            piece, at = _quoted(text, at)
            word.append(piece)
        elif char == "\\" and at + 1 < len(text):
            word.append(text[at + 1])
            at += 2
        else:
            word.append(char)
            at += 1
    if word is not None:
        words.append("".join(word))
    return words


def _quoted(text: str, at: int) -> tuple[str, int]:
    quote = text[at]
    out: list[str] = []
    at += 1
    while at < len(text):
        char = text[at]
        if char == quote:
            return "".join(out), at + 1
        if char == "\\" and quote == '"' and text[at + 1 : at + 2] in _IN_DOUBLE and at + 1 < len(text):
            out.append(text[at + 1])
            at += 2
            continue
        out.append(char)
        at += 1
    raise InvalidArgument(f"invalid command line string: {text}: unclosed quote")
