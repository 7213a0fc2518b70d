from __future__ import annotations

import errno
import os
from itertools import islice
from pathlib import Path

import pytest

from wharf.errors import NotImplementedHere, WharfError
from wharf.storage.project_limits import ProjectLimits, candidates


class FakeKernel:
    """A file system's projects and limits, by inode."""

    def __init__(self, *, enforces: bool = True, refuses: int = 0) -> None:
        self.projects: dict[int, int] = {}
        self.limits: dict[int, int] = {}
        self._enforces, self._refuses = enforces, refuses

    def project_of(self, fd: int) -> int:
        return self.projects.get(os.fstat(fd).st_ino, 0)

    def set_project(self, fd: int, project: int) -> None:
        self.projects[os.fstat(fd).st_ino] = project

    def enforced(self, fd: int) -> bool:
        return self._enforces

    def in_use(self, fd: int, project: int) -> bool:
        return project in self.projects.values() or project in self.limits

    def set_limit(self, fd: int, project: int, size_bytes: int) -> None:
        if self._refuses:
            raise OSError(self._refuses, os.strerror(self._refuses))
        self.limits[project] = size_bytes
        if not size_bytes:
            del self.limits[project]


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel()


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    made = (tmp_path / "upper", tmp_path / "work", tmp_path / "other")
    for folder in made:
        folder.mkdir()
    return made


def test_folders_that_are_limited_together_are_one_project(
    kernel: FakeKernel, folders: tuple[Path, Path, Path]
) -> None:
    upper, work, other = folders
    limits = ProjectLimits(kernel)
    limits.limit([upper, work], 10)
    limits.limit([other], 20)

    first, again, second = (kernel.projects[folder.stat().st_ino] for folder in folders)
    assert (first == again, first == second, kernel.limits) == (True, False, {first: 10, second: 20})


def test_project_that_anybody_has_is_not_given_again(kernel: FakeKernel, folders: tuple[Path, Path, Path]) -> None:
    upper, work, _other = folders
    one, two, three = islice(candidates(str(upper)), 3)
    kernel.projects[work.stat().st_ino] = one  # of another engine, say
    kernel.limits[two] = 5  # of an administrator

    ProjectLimits(kernel).limit([upper], 10)
    assert kernel.projects[upper.stat().st_ino] == three


def test_next_engine_keeps_the_project_of_a_folder(kernel: FakeKernel, folders: tuple[Path, Path, Path]) -> None:
    upper, work, _ = folders
    ProjectLimits(kernel).limit([upper, work], 10)
    before = dict(kernel.projects)
    ProjectLimits(kernel).limit([upper, work], 30)

    assert (kernel.projects, set(kernel.limits.values())) == (before, {30})


def test_limit_of_a_folder_that_goes_is_lifted_and_another_project_is_left_alone(
    kernel: FakeKernel, folders: tuple[Path, Path, Path]
) -> None:
    upper, work, other = folders
    limits = ProjectLimits(kernel)
    limits.limit([upper], 10)
    kernel.projects[other.stat().st_ino] = 7
    kernel.limits[7] = 70
    for folder in (upper, upper, other, work, Path("/no/such")):
        limits.lift(folder)

    assert kernel.limits == {7: 70}


def test_limits_are_refused_where_they_would_not_hold(folders: tuple[Path, Path, Path]) -> None:
    upper, *_ = folders
    kernel = FakeKernel(enforces=False)
    limits = ProjectLimits(kernel)

    assert not limits.supported(upper)
    with pytest.raises(NotImplementedHere, match="has no project quotas"):
        limits.limit([upper], 10)
    limits.lift(upper)
    assert kernel.limits == {}


def test_what_the_kernel_says_is_told(folders: tuple[Path, Path, Path]) -> None:
    upper, *_ = folders

    with pytest.raises(WharfError, match="upper cannot be limited to 10 bytes: operation not permitted"):
        ProjectLimits(FakeKernel(refuses=errno.EPERM)).limit([upper], 10)


def test_projects_are_numbered_beyond_what_people_number() -> None:
    assert all(1 << 30 <= project < 1 << 31 for project in islice(candidates("/x"), 100))
    assert len(set(islice(candidates("/x"), 100))) == 100
