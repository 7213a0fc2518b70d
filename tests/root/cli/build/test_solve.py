"""wharf build through BuildKit's protocol, against the real daemon."""

from __future__ import annotations

import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Wharfd


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "context").mkdir()
    (tmp_path / "context/Dockerfile").write_text("FROM busybox\nCOPY f /f\nRUN cat /f && echo more >> /f\n")
    (tmp_path / "context/f").write_text("hello\n")
    return tmp_path / "context"


def test_an_image_is_built_and_known_the_second_time(wharf: Cli, folder: Path) -> None:
    first = wharf("build", "-t", "made", "--iidfile", str(folder.parent / "id"), str(folder))
    second = wharf("build", "-t", "made", str(folder))

    assert (first.code, second.code) == (0, 0), first
    assert " hello\n" in first.err
    assert second.err.count(" CACHED\n") >= 2
    assert wharf.ok("run", "--rm", "made", "cat", "/f") == "hello\nmore"
    assert (folder.parent / "id").read_text().startswith("sha256:")


def test_a_result_comes_as_a_folder_or_an_archive(wharf: Cli, folder: Path, tmp_path: Path) -> None:
    wharf.ok("build", "-q", "-o", str(tmp_path / "out"), str(folder))
    wharf.ok("build", "-q", "-t", "x:1", "-o", f"type=oci,dest={tmp_path}/x.tar", str(folder))

    assert (tmp_path / "out/f").read_text() == "hello\nmore\n"
    with tarfile.open(tmp_path / "x.tar") as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        assert json.load(index)["manifests"]


def test_secrets_and_agents_are_lent_and_not_kept(wharf: Cli, daemon: Wharfd, folder: Path, tmp_path: Path) -> None:
    (folder / "Dockerfile").write_text(
        "FROM busybox\n"
        "RUN --mount=type=secret,id=s wc -c < /run/secrets/s > /len\n"
        "RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo agent > /seen\n"
    )
    lending = replace(wharf, environment={**wharf.environment, "WORD": "very-secret-word"})
    done = lending(
        "build", "-t", "made", "--secret", "id=s,env=WORD", "--ssh", f"default={tmp_path}/agent", str(folder)
    )

    assert done.code == 0, done
    assert wharf.ok("run", "--rm", "made", "cat", "/len", "/seen") == "16\nagent"
    assert "very-secret-word" not in done.err + wharf.ok("history", "--no-trunc", "made")
    secret = b"very-secret-word"
    seen = [path for path in daemon.root.rglob("*") if path.is_file() and not path.is_symlink()]
    assert any(path.parent.name == "records" for path in seen)
    assert [path for path in [*seen, daemon.log] if _holds(path, secret)] == []


def _holds(path: Path, secret: bytes) -> bool:
    """Whether a file has a secret in it; one that is removed meanwhile has none."""
    try:
        return secret in path.read_bytes()
    except FileNotFoundError:
        return False


def test_a_failed_step_shows_its_lines_and_leaves_no_output(wharf: Cli, folder: Path, tmp_path: Path) -> None:
    (folder / "Dockerfile").write_text("FROM busybox\nRUN echo so far; exit 7\n")
    done = wharf("build", "-o", f"type=tar,dest={tmp_path}/x.tar", str(folder))

    assert done.code == 1
    assert "   2 | >>> RUN echo so far; exit 7\n" in done.err
    assert done.err.endswith("did not complete successfully: exit code: 7\n")
    assert not list(tmp_path.glob("x.tar*"))


def test_other_contexts_and_a_dockerfile_on_stdin(wharf: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other/g").write_text("from elsewhere")
    text = b"FROM busybox\nCOPY --from=more g /\nCOPY f /\n"
    done = wharf(
        "build", "-f", "-", "-t", "made", "--build-context", f"more={tmp_path}/other", str(folder), stdin=text
    )

    assert done.code == 0, done
    assert wharf.ok("run", "--rm", "made", "cat", "/g") == "from elsewhere"


def test_what_does_not_go_together_is_refused(wharf: Cli, folder: Path) -> None:
    classic = replace(wharf, environment={**wharf.environment, "DOCKER_BUILDKIT": "0"})

    assert "--output does not go with DOCKER_BUILDKIT=0" in classic("build", "-o", "x", str(folder)).err
    assert "--secret does not go with a context on stdin" in wharf("build", "--secret", "id=a", "-").err
    assert "type is required for an attestation" in wharf("build", "--attest", "a=b", str(folder)).err
