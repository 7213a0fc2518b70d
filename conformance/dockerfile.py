"""BuildKit's own cases for its Dockerfile parser and its shell words, as data, from the Go module proxy.

Each folder of ``parser/testfiles`` holds a Dockerfile and what its parser makes of it, as nested lists; those of
``testfiles-negative`` must be refused. ``shell/envVarTest`` and ``wordsTest`` are tables of texts and expansions.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from conformance.suites import Outcome, Suite
from wharf.build.dockerfile.parser import parse
from wharf.build.dockerfile.statement import Statement
from wharf.build.dockerfile.words import expand
from wharf.errors import InvalidArgument

_MODULE = "github.com/moby/buildkit@v0.26.2"
_ENVIRONMENT = {"PWD": "/home", "SHELL": "bash", "KOREAN": "한국어", "NULL": ""}  # the suite's own
_UNIX = "AU"
_SHORT = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}


def run(scratch: Path) -> Outcome:
    """Run every case; print those that fail."""
    del scratch
    folder = _fetch() / "frontend/dockerfile"
    results = dict([*_trees(folder / "parser"), *_variables(folder / "shell"), *_words(folder / "shell")])
    failed = tuple(name for name, good in results.items() if not good)
    for name in failed:
        sys.stdout.write(f"dockerfile: failed: {name}\n")
    return Outcome(len(results) - len(failed), len(failed), 0, failed)


def _fetch() -> Path:
    done = subprocess.run(["go", "mod", "download", "-json", _MODULE], capture_output=True, check=True, timeout=600)
    return Path(json.loads(done.stdout)["Dir"])


def _trees(folder: Path) -> Iterator[tuple[str, bool]]:
    for case in sorted((folder / "testfiles").iterdir()):
        found = "\n".join(f"({tree(one)})" for one in parse((case / "Dockerfile").read_bytes()).statements)
        yield f"testfiles/{case.name}", found == (case / "result").read_text().strip()
    for case in sorted((folder / "testfiles-negative").iterdir()):
        yield f"testfiles-negative/{case.name}", _refused((case / "Dockerfile").read_bytes())


def _refused(data: bytes) -> bool:
    try:
        parse(data)
    except InvalidArgument:
        return True
    return False


def tree(statement: Statement) -> str:
    """Return a statement as BuildKit's parser writes its tree."""
    flags = f" [{' '.join(map(quoted, statement.flags))}]" if statement.flags else ""
    child = f" ({tree(statement.child)})" if statement.child else ""
    return (statement.keyword + flags + child + "".join(f" {quoted(arg)}" for arg in statement.args)).strip()


def quoted(text: str) -> str:
    """Return ``text`` as Go's strconv.Quote does."""
    out = ""
    for character in text:
        if character in '"\\':
            out += f"\\{character}"
        elif character in _SHORT:
            out += _SHORT[character]
        else:
            out += character if character.isprintable() else f"\\x{ord(character):02x}"
    return f'"{out}"'


def _expanded(text: str, environment: dict[str, str]) -> tuple[str, list[str]]:
    try:
        found = expand(text, environment)
    except InvalidArgument:
        return "error", ["error"]
    return found.text, list(found.words)


def _variables(folder: Path) -> Iterator[tuple[str, bool]]:
    for line in _lines(folder / "envVarTest"):
        system, text, expected = (part.strip() for part in line.split("|", 2))
        if system in _UNIX:
            yield f"envVarTest {text}", _expanded(text, _ENVIRONMENT)[0] == expected


def _words(folder: Path) -> Iterator[tuple[str, bool]]:
    environment: dict[str, str] = {}
    for line in _lines(folder / "wordsTest"):
        if line.startswith("ENV "):
            name, _, value = line.removeprefix("ENV ").partition("=")
            environment[name.strip()] = value
            continue
        text, _, expected = line.partition("|")
        yield f"wordsTest {text.strip()}", _expanded(text.strip(), environment)[1] == expected.lstrip().split(",")


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().split("\n") if line.strip() and not line.startswith("#")]


SUITE = Suite("dockerfile", baseline=285, run=run)
