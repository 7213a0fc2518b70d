from __future__ import annotations

import io
import tarfile

import pytest
from tests.fakes.compose import project

from wharf.compose.create.files import Injected, archive, injected_files
from wharf.errors import InvalidArgument

SOURCES = """
secrets: {e: {environment: E}, f: {file: ./f}, x: {external: true}}
configs: {c: {content: 'in $$line'}}
"""


def injected(service: str, **variables: str) -> list[Injected]:
    app = project(f"services: {{a: {service}}}\n{SOURCES}", variables=variables)
    return injected_files(app, app.services["a"], lambda path: f"content of {path}".encode())


def test_contents_come_from_variables_files_and_the_project_itself() -> None:
    service = "{image: x, secrets: [e, {source: f, target: /x/f, uid: '7', gid: '8', mode: 0400}], configs: [c]}"

    assert injected(service, E="s3cret") == [
        Injected("/run/secrets/e", b"s3cret", 0, 0, 0o444),
        Injected("/x/f", b"content of /app/f", 7, 8, 0o400),
        Injected("/c", b"in $line", 0, 0, 0o444),
    ]


def test_file_that_is_mounted_is_not_copied() -> None:
    assert injected("{image: x, secrets: [f]}") == []


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("{image: x, secrets: [e]}", 'environment variable "E" required by secret "app_e" is not set'),
        ("{image: x, secrets: [{source: f, uid: root}]}", "invalid uid 'root' of f: must be a number"),
        ("{image: x, secrets: [x]}", "unsupported external x: secrets and configs outside of a project need a swarm"),
        ("{image: x, read_only: true, configs: [c]}", 'cannot create config "app_c" in read-only service a'),
    ],
)
def test_what_cannot_be_put_there_is_told(service: str, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        injected(service)


def test_archive_has_owners_and_modes() -> None:
    data = archive([Injected("/run/secrets/e", b"abc", 7, 8, 0o400)])
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        [entry] = tar.getmembers()
        content = tar.extractfile(entry)

    assert (entry.name, entry.uid, entry.gid, entry.mode) == ("run/secrets/e", 7, 8, 0o400)
    assert content is not None
