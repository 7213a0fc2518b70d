"""Regular expressions of clients, evaluated by a process of their own: one without an end costs nobody else.

Go's expressions take linear time, Python's may take for ever: such a process is killed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Final

import msgspec

from wharf.build.source_policy import Found
from wharf.errors import InvalidArgument
from wharf.kernel.process import run

_MOST_S: Final = 2.0
_PROGRAM: Final = """
import json, re, sys
text, patterns = json.load(sys.stdin)
answers = []
for pattern in patterns:
    try:
        expression = re.compile(pattern)
    except re.error as error:
        answers.append(str(error))
        continue
    answers.append([
        {"start": one.start(), "end": one.end(), "groups": [group or "" for group in one.groups()]}
        for one in expression.finditer(text)
    ])
json.dump(answers, sys.stdout)
"""


class Expressions:
    """Those of one build's policies; each text is looked at once."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self._patterns = sorted(set(patterns))
        self._known: dict[str, dict[str, list[Found]]] = {}

    def __call__(self, pattern: str, text: str) -> list[Found]:
        """Return where an expression is found in a text; blocking.

        Raises:
            InvalidArgument: it is malformed, or takes too long.
        """
        if text not in self._known:
            self._known[text] = self._asked(text)
        return self._known[text][pattern]

    def _asked(self, text: str) -> dict[str, list[Found]]:
        question = msgspec.json.encode([text, self._patterns])
        try:
            program = [sys.executable, "-I", "-S", "-c", _PROGRAM]
            done = run(program, stdin=question, timeout_s=_MOST_S, environment={})
        except TimeoutError:
            raise InvalidArgument(f"source policy: a regular expression takes too long for {text}") from None
        if done.code:
            raise InvalidArgument("source policy: a regular expression is too much for its evaluation")
        answers = msgspec.json.decode(done.stdout, type=list[str | list[Found]])
        found: dict[str, list[Found]] = {}
        for pattern, answer in zip(self._patterns, answers, strict=True):
            if isinstance(answer, str):
                raise InvalidArgument(f"source policy: invalid regular expression {pattern}: {answer}")
            found[pattern] = answer
        return found
