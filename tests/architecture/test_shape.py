"""The shape of the tree, held by machine: what a reader may rely on without looking."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_TOP = Path(__file__).parent.parent.parent
_SOURCE = _TOP / "src/wharf"
_MODULES = sorted(path.relative_to(_SOURCE) for path in _SOURCE.rglob("*.py"))
_MAX_LINES = 400
_MAX_BYTES = 200_000  # what is longer was made by a tool, and came along by accident

# Modules without a test of their own, and why. A folder stands for all that is in it.
_TESTED_ELSEWHERE = {
    "errors.py": "names only",
    "spec": "names only: documents as their specification spells them",
    "lib/version.py": "constants only",
    "api/backend.py": "Protocols only: what the API asks of an engine",
    "api/backend_plugins.py": "the same",
    "api/streams.py": "the same",
    "build/convert/options.py": "values only",
    "build/operations/results.py": "values only",
    "engine/buildkit/workbench.py": "values only",
    "compose/model/deploy.py": "values only",
    "compose/model/hooks.py": "values only",
    "compose/model/mounts.py": "values only",
    "compose/model/resources.py": "values only",
}
# Modules that only the tests of a neighbour exercise. The list may only become shorter.
_BY_A_NEIGHBOUR = (Path(__file__).parent / "tested_by_a_neighbour.txt").read_text().split()
# Longer than the limit, and why.
_LONG = {"spec/engine_api/container.py": "one document of the specification is one file"}
_PROGRAMS = {"__main__.py", "__init__.py"}

# Written in pieces, so that this file does not match itself.
_FORBIDDEN = [
    re.compile(r"(?<![\w.}:])/work/\w|/root/\.pyenv"),
    re.compile(r"\b(re" + r"gistry-1|auth)\.docker\.io\b"),
    re.compile(r"\b(deb|security|ftp)\.debian" + r"\.org\b"),
    re.compile(r"\b(py" + r"pi\.org|pythonhosted\.org)\b"),
    re.compile(r"--(index-url|extra-index-url|find-links)"),
    re.compile(r"\b(artifact-?registry|pkg\.dev)\b"),
]


def _tested_elsewhere(module: Path) -> bool:
    names = [str(module), *(str(parent) for parent in module.parents)]
    return module.name in _PROGRAMS or any(name in _TESTED_ELSEWHERE for name in names)


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "-C", _TOP, "ls-files", "-z"], capture_output=True, text=True, check=False).stdout
    return [_TOP / name for name in listed.split("\0") if name and (_TOP / name).is_file()]


def _lines_that_leak(path: Path) -> Iterator[str]:
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if any(pattern.search(line) for pattern in _FORBIDDEN):
            yield f"{path.relative_to(_TOP)}:{number}: {line.strip()[:100]}"


def test_every_module_has_tests_where_a_reader_looks_for_them() -> None:
    missing = [
        str(module)
        for module in _MODULES
        if not _tested_elsewhere(module)
        and not any(
            (_TOP / "tests" / kind / module.parent / f"test_{module.name}").exists() for kind in ("unit", "root")
        )
    ]

    assert missing == sorted(_BY_A_NEIGHBOUR)


def test_the_list_of_modules_without_tests_names_only_what_exists() -> None:
    assert [name for name in _TESTED_ELSEWHERE if not (_SOURCE / name).exists()] == []


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    lengths = {str(module): len((_SOURCE / module).read_text().splitlines()) for module in _MODULES}

    assert {name: lines for name, lines in lengths.items() if lines > _MAX_LINES and name not in _LONG} == {}


@pytest.mark.parametrize(
    "module", [str(path) for path in _MODULES if path.name == "__init__.py" and len(path.parts) > 1]
)
def test_a_package_opens_with_its_description_and_nothing_else(module: str) -> None:
    body = ast.parse((_SOURCE / module).read_text()).body

    assert [type(node).__name__ for node in body] == ["Expr"]
    assert ast.get_docstring(ast.parse((_SOURCE / module).read_text()))


def test_every_module_says_what_it_is() -> None:
    assert [str(path) for path in _MODULES if not ast.get_docstring(ast.parse((_SOURCE / path).read_text()))] == []


def test_nothing_names_a_package_host_or_a_place_of_one_machine() -> None:
    own = Path(__file__)
    found = [line for path in _tracked() if path != own for line in _lines_that_leak(path)]

    assert found == []


def test_every_file_of_the_tree_is_text_that_somebody_could_read() -> None:
    tracked = _tracked()

    assert [str(path) for path in tracked if path.stat().st_size > _MAX_BYTES] == []
    assert [str(path) for path in tracked if b"\0" in path.read_bytes()] == []


def test_every_dependency_has_a_page_that_says_why() -> None:
    text = (_TOP / "pyproject.toml").read_text()
    block = re.search(r"^dependencies = \[(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert block
    names = re.findall(r'"([A-Za-z0-9-]+)', block[1])
    pages = " ".join(path.read_text() for path in (_TOP / "docs/decisions").glob("*.md"))

    assert [name for name in names if name not in pages] == []
