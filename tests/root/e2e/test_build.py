"""build: with docker's command line (its classic builder) and with ours; killed, hostile, and secret."""

from __future__ import annotations

import io
import signal
import subprocess
import tarfile
from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Wharfd, cli, until
from tests.root.world import EMPTY

pytestmark = pytest.mark.root


@pytest.fixture
def build(run: Cli) -> Cli:
    return Cli(run.name, run.command, {**run.environment, "DOCKER_BUILDKIT": "0"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM busybox\nARG who=you\nCOPY f /f\nRUN echo to $who >> /f\nCMD cat /f\n")
    (tmp_path / "f").write_text("hello\n")
    return tmp_path


def test_an_image_is_built_from_a_folder(build: Cli, folder: Path) -> None:
    done = build("build", "-t", "made", "-t", "made:2", "--build-arg", "who=me", "--label", "a=b", str(folder))

    assert done.code == 0, done
    assert "Successfully tagged made:2\n" in done.out
    assert "Step 4/5 : RUN echo to $who >> /f\n" in done.out
    assert build.ok("run", "--rm", "made:2") == "hello\nto me"
    assert build("build", "-t", "made", "--build-arg", "who=me", str(folder)).out.count("---> Using cache") == 2


def test_only_the_id_is_printed_when_asked_for_it(build: Cli, folder: Path) -> None:
    done = build("build", "-q", "--iidfile", str(folder / "id"), str(folder))

    assert done.out.startswith("sha256:")
    assert done.out.strip() == (folder / "id").read_text().strip()


def test_a_dockerfile_comes_from_stdin_or_elsewhere(build: Cli, folder: Path) -> None:
    (folder.parent / "elsewhere").write_text("FROM busybox\nCOPY f /g\n")

    assert build("build", "-", stdin=b"FROM busybox\nRUN true\n").code == 0
    assert build("build", "-f", "-", str(folder), stdin=b"FROM busybox\nCOPY f /h\n").code == 0
    assert build("build", "-f", str(folder.parent / "elsewhere"), str(folder)).code == 0


def test_a_failing_command_says_what_and_gives_its_code(build: Cli, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM busybox\nRUN echo so far; exit 7\n")

    done = build("build", str(folder))

    assert done.code == 7
    assert "so far\n" in done.out
    assert "The command '/bin/sh -c echo so far; exit 7' returned a non-zero code: 7" in done.err


def test_what_is_wrong_in_the_file_is_told_with_its_line(build: Cli, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM busybox\nRUM x\n")

    done = build("build", str(folder))

    assert done.code == 1
    assert "dockerfile parse error on line 2: unknown instruction: RUM (did you mean RUN?)" in done.err


def test_a_failed_step_shows_its_lines(daemon: Wharfd, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM busybox\nRUN false\n")

    assert "   2 | >>> RUN false\n" in cli("wharf", daemon)("build", str(folder)).err


def test_a_dockerfile_is_checked_without_building(daemon: Wharfd, folder: Path) -> None:
    (folder / "Dockerfile").write_text("# all builds all\nFROM absent AS All\nARG V=1\nWORKDIR x\n")

    wharf = cli("wharf", daemon)
    done = wharf("build", "--check", str(folder))

    assert done.code == 1
    assert done.out.startswith("Check complete, 2 warnings have been found!\n\nWARNING: StageNameCasing - ")
    assert "   4 | >>> WORKDIR x\n" in done.out
    assert "BUILD ARG   VALUE" in wharf.ok("build", "--call", "outline", str(folder))


def test_findings_warn_or_fail_a_build(build: Cli, folder: Path) -> None:
    (folder / "Dockerfile").write_text("FROM busybox AS A\n")
    assert "[Warning] StageNameCasing: Stage name 'A' should be lowercase (line 1)" in build("build", str(folder)).out

    (folder / "Dockerfile").write_text("# check=error=true\nFROM busybox AS A\n")
    failed = build("build", str(folder))
    assert (failed.code, failed.err.strip().rpartition("Error response from daemon: ")[2]) == (
        1,
        "lint violation found for rules: StageNameCasing",
    )


def test_what_is_ignored_is_not_there(build: Cli, folder: Path) -> None:
    (folder / "secret").write_text("x")
    (folder / ".dockerignore").write_text("secret\n")
    (folder / "Dockerfile").write_text("FROM busybox\nCOPY . /all/\nRUN ls -A /all\n")

    done = build("build", "--no-cache", str(folder))

    assert "\n.dockerignore\nDockerfile\nf\n" in done.out


def test_results_are_shown_and_pruned(build: Cli, daemon: Wharfd, folder: Path) -> None:
    build("build", str(folder))

    assert daemon.get("/system/df?type=build-cache")["BuildCacheUsage"]["TotalCount"] > 0
    assert "Total reclaimed space" in build("builder", "prune", "-f").out


def test_a_hostile_archive_is_refused(build: Cli) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in ("Dockerfile", "../out"):
            member = tarfile.TarInfo(name)
            member.size = 12
            archive.addfile(member, io.BytesIO(b"FROM scratch"))

    done = build("build", "-", stdin=buffer.getvalue())

    assert done.code == 1
    assert "lies outside of it" in done.err


def test_an_engine_killed_in_a_build_leaves_nothing(stocked: Path, tmp_path: Path) -> None:
    daemon = Wharfd(tmp_path, stocked)
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        text = b"FROM busybox\nRUN --mount=type=cache,target=/c touch /x; while :; do touch /y; done\n"
        member = tarfile.TarInfo("Dockerfile")
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text))
    (tmp_path / "context.tar").write_bytes(context.getvalue())
    try:
        daemon.start()
        with (tmp_path / "context.tar").open("rb") as archive_file:
            command = cli("wharf", daemon)
            client = subprocess.Popen(
                [*command.command, "build", "-"],
                stdin=archive_file,
                env=command.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        until(lambda: list(daemon.data.ingest.rglob("y")))
        daemon.end(signal.SIGKILL)
        client.wait(60)

        daemon.start()

        assert daemon.shims() == []
        assert list(daemon.data.ingest.iterdir()) == []
        assert list(daemon.data.build_work.iterdir()) == []
        daemon.end()
        assert daemon.world() == EMPTY
    finally:
        daemon.forget()
