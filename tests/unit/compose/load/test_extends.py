from __future__ import annotations

import pytest
from tests.fakes.compose import project

from wharf.compose.load.located import ComposeError


def test_service_lies_over_what_it_extends_through_files_and_chains() -> None:
    service = project(
        {
            "/app/compose.yaml": "services: {web: {extends: {file: sub/b.yaml, service: b}, environment: {A: own}}}",
            "/app/sub/b.yaml": "services: {b: {extends: c, env_file: e, build: .}, c: {image: x, env_file: f}}",
            "/app/sub/e": "E=1\n",
            "/app/sub/f": "A=1\nB=2\n",
        }
    ).services["web"]

    assert service.environment == {"A": "own", "B": "2", "E": "1"}
    assert service.build is not None
    assert (service.image, service.build.context) == ("x", "/app/sub")


def test_an_empty_service_of_another_file_may_be_extended_but_not_run() -> None:
    files = {
        "/app/compose.yaml": "services: {web: {extends: {file: b.yaml, service: empty}, image: x}}",
        "/app/b.yaml": "services:\n  empty:\n  other: {image: y}\n",
    }

    assert project(files).services["web"].image == "x"
    with pytest.raises(ComposeError, match=r"b\.yaml:2: services\.empty must be a mapping"):
        project({"/app/compose.yaml": "include: [b.yaml]", "/app/b.yaml": files["/app/b.yaml"]})


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"/app/compose.yaml": "services:\n  a:\n    extends: gone\n"},
            '/app/compose.yaml:3: cannot extend service "a" in /app/compose.yaml: service "gone" not found',
        ),
        (
            {"/app/compose.yaml": "services:\n  a:\n    extends: {file: x, service: b}\n"},
            "/app/compose.yaml:3: open /app/x: no such file or directory",
        ),
        (
            {
                "/app/compose.yaml": "services:\n  a:\n    extends: {file: x, service: b}\n",
                "/app/x": "services: {c: {}}",
            },
            '/app/compose.yaml:3: cannot extend service "a" in /app/compose.yaml: service "b" not found in /app/x',
        ),
        (
            {"/app/compose.yaml": "services:\n  a: {extends: b}\n  b: {extends: a}\n"},
            "Circular reference:\n  a in {f}\n  extends b in {f}\n  extends a in {f}".format(f="/app/compose.yaml"),
        ),
        (
            {"/app/compose.yaml": "services:\n  a: {extends: {file: 'https://x/y', service: b}}\n"},
            "/app/compose.yaml:2: extending a service of a remote resource is not supported: https://x/y",
        ),
    ],
)
def test_what_cannot_be_extended_is_refused_with_its_place(files: dict[str, str], said: str) -> None:
    with pytest.raises(ComposeError) as raised:
        project(files)

    assert str(raised.value) == said
