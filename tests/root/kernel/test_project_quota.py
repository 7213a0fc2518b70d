"""Limits hold in the machine of ``make vm``; a host whose kernel has none leaves those tests out."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.quotas import KINDS, mounted

from wharf.kernel import project_quota
from wharf.storage.trees import opened_folder

_PROJECT = 1_500_000_000
_SIZE = 1 << 20


@pytest.fixture(scope="module", params=KINDS)
def disk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with mounted(request.param, tmp_path_factory.mktemp("quota")) as folder:
        yield folder


@pytest.fixture(params=["descriptor", "device"])
def limited(request: pytest.FixtureRequest, disk: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of 1 MiB; once as a kernel without quotactl_fd(2) makes it."""
    if request.param == "device":
        monkeypatch.setattr(project_quota, "_quotactl_fd", _no_such_call)
    folder = disk / "limited"
    folder.mkdir()
    with opened_folder(folder) as fd:
        project_quota.set_project(fd, _PROJECT)
        project_quota.set_limit(fd, _PROJECT, _SIZE - 1)
        yield folder
        project_quota.set_limit(fd, _PROJECT, 0)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def _no_such_call(*_arguments: object) -> int:
    raise OSError(errno.ENOSYS, "no such call")


def test_folder_holds_no_more_than_its_limit_and_says_how_large_it_is(limited: Path) -> None:
    limited.chmod(0o777)
    # As somebody else: ext4 lets go on who has CAP_SYS_RESOURCE.
    write = ["dd", "if=/dev/zero", "of=f", "bs=64k", "count=32"]
    done = subprocess.run(write, cwd=limited, user=65534, capture_output=True, check=False)
    status = os.statvfs(limited)

    assert b"quota exceeded" in done.stderr or b"No space left" in done.stderr  # ext4's word, and XFS's
    assert (limited / "f").stat().st_blocks * 512 <= _SIZE
    assert status.f_blocks * status.f_frsize == _SIZE


def test_project_is_in_use_while_it_has_a_file_or_a_limit(limited: Path) -> None:
    with opened_folder(limited) as fd:
        assert (project_quota.project_of(fd), project_quota.enforced(fd)) == (_PROJECT, True)
        assert [project_quota.in_use(fd, project) for project in (_PROJECT, _PROJECT + 1)] == [True, False]
        project_quota.set_project(fd, 0)
        assert project_quota.in_use(fd, _PROJECT)
        project_quota.set_limit(fd, _PROJECT, 0)
        assert not project_quota.in_use(fd, _PROJECT)


def test_what_is_made_in_a_folder_is_of_its_project(limited: Path) -> None:
    (limited / "f").touch()
    with (limited / "f").open() as file:
        assert project_quota.project_of(file.fileno()) == _PROJECT


def test_file_system_without_such_quotas_is_told_apart(tmp_path: Path) -> None:
    with opened_folder(tmp_path) as fd:
        assert not project_quota.enforced(fd)
    with opened_folder("/proc") as fd:
        assert not project_quota.enforced(fd)
