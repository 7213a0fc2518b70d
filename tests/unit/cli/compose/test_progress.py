from __future__ import annotations

import io

import pytest

from wharf.cli.compose.progress import Progress, described
from wharf.compose.plan.operations import Details, Operation


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (
            Operation(1, "CreateNetwork", "network:n", "", (), Details(target="app_n")),
            ("Network app_n", "Creating", "Created"),
        ),
        (
            Operation(1, "CreateContainer", "service:a:1", "", (), Details(name="app-a-1")),
            ("Container app-a-1", "Creating", "Created"),
        ),
        (
            Operation(1, "CreateContainer", "service:a:1", "", (), Details(name="0123456789ab_app-a-1")),
            ("Container app-a-1", "Recreate", "Recreated"),
        ),
        (Operation(1, "Await", "service:a", ""), ("Service a", "Waiting", "Ready")),
        (Operation(1, "RenameContainer", "service:a:1", ""), None),
    ],
)
def test_operations_are_told_in_docker_composes_words(operation: Operation, words: tuple[str, ...] | None) -> None:
    assert described(operation) == words


_JSON = "".join(
    f'{{"id":"Network {name}","status":"{state}"}}\n'
    for name, state in (("n", "Creating"), ("m", "Creating"), ("n", "Created"))
)


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        ("quiet", ""),
        ("plain", " Network n  Creating\n Network m  Creating\n Network n  Created\n"),
        ("json", _JSON),
        ("tty", " Network n  Creating\n Network m  Creating\n\033[2A\r\033[K Network n  Created\033[2B\r"),
    ],
)
def test_each_way_to_show(mode: str, text: str) -> None:
    out = io.StringIO()
    progress = Progress(out, mode)
    for name, state in (("n", "start"), ("m", "start"), ("n", "done")):
        progress(Operation(1, "CreateNetwork", f"network:{name}", "", (), Details(target=name)), state)  # type: ignore[arg-type]

    assert out.getvalue().replace(": ", ":").replace(", ", ",") == text.replace(": ", ":").replace(", ", ",")
