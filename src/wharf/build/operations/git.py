"""Repositories (ADD https://….git, build contexts): a shallow checkout by the git program, without its hooks."""

from __future__ import annotations

import os
import posixpath
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from wharf.build.graph.operations import Source
from wharf.errors import InvalidArgument, NotFound, NotImplementedHere, Unavailable
from wharf.kernel import process
from wharf.kernel.openat2 import open_in_root
from wharf.storage.trees import FOLDER

_TIMEOUT_S: Final = 1800.0
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SAFE_REF: Final = re.compile(r"(?!-)[^\s~^:?*\[\\]+")
_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "protocol.file.allow=user",
    "advice.detachedHead=false",
    "gc.auto=0",
)


@dataclass(frozen=True, slots=True)
class Request:
    """What to check out."""

    remote: str
    ref: str = ""  # a branch, a tag or a commit; "": the repository's default
    folder: str = ""  # only this folder of it
    checksum: str = ""  # what the commit's name must begin with
    keep_git_dir: bool = False
    submodules: bool = True
    commit_times: bool = False  # files have the commit's time


@dataclass(frozen=True, slots=True)
class Commit:
    """What was checked out."""

    name: str
    time_s: int  # when it was committed


def request_of(source: Source) -> Request:
    """Return the request that a ``git://`` source stands for. Pure.

    Raises:
        InvalidArgument: its ref cannot be one.
    """
    remote, _, fragment = source.rest.partition("#")
    ref, _, folder = fragment.partition(":")
    if ref and not _SAFE_REF.fullmatch(ref):
        raise InvalidArgument(f"invalid git ref {ref!r}")
    if remote.startswith("-"):
        raise InvalidArgument(f"invalid git repository {remote!r}")
    return Request(
        source.attribute("git.fullurl") or remote,
        ref,
        folder,
        source.attribute("git.checksum"),
        source.attribute("git.keepgitdir") == "true",
        source.attribute("git.skipsubmodules") != "true",
        source.attribute("git.mtime") == "commit",
    )


def checkout(request: Request, folder: Path, stop: process.Stop | None = None) -> Commit:
    """Check a repository out into a new folder and return the commit; blocking.

    Raises:
        NotImplementedHere: there is no git program on this machine.
        NotFound: the repository has no such ref or folder.
        InvalidArgument: the commit is another one than was asked for.
        Unavailable: the repository cannot be reached, or ``stop`` has ended git.
    """
    place = folder.with_name(f"{folder.name}.git")
    place.mkdir(mode=0o700)
    git = partial(_git, place, stop)
    git("init", "--quiet")
    git("remote", "add", "origin", "--", request.remote)
    _fetch(git, place, request)
    git("checkout", "--quiet", "--force", "FETCH_HEAD")
    name, time = git("log", "-1", "--format=%H %ct", "HEAD").split()
    commit = Commit(name, int(time))
    if request.checksum and not name.startswith(request.checksum):
        raise InvalidArgument(f"expected checksum to match {request.checksum}, got {name}")
    if request.submodules and (place / ".gitmodules").exists():
        git("submodule", "update", "--quiet", "--init", "--recursive", "--depth=1")
    if not request.keep_git_dir:
        _drop_git(place)
    _dress(place)
    if request.commit_times:
        _date(place, commit.time_s)
    _take(place, request.folder, folder)
    return commit


def _fetch(git: Callable[..., str], place: Path, request: Request) -> None:
    wanted = request.ref or "HEAD"
    try:
        git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", wanted)
    except Unavailable:
        if not _COMMIT.fullmatch(wanted) and len(wanted) < 7:
            raise
        # Some servers give no single commits, and none gives an abbreviated one.
        git("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
        try:
            commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{wanted}^{{commit}}")
        except Unavailable:
            raise NotFound(f"repository does not contain ref {wanted}") from None
        (place / ".git" / "FETCH_HEAD").write_text(f"{commit}\t\t{wanted}\n")


def _git(place: Path, stop: process.Stop | None, *arguments: str) -> str:
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    environment = {
        name: value
        for name, value in os.environ.items()
        if name in ("PATH", "SSH_AUTH_SOCK") or name.lower().endswith("_proxy")
    } | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "HOME": str(place),
        "GIT_SSH_COMMAND": "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new",
    }
    try:
        done = process.run(
            ["git", *settings, *arguments], folder=place, environment=environment, timeout_s=_TIMEOUT_S, stop=stop
        )
    except FileNotFoundError:
        raise NotImplementedHere("git is not installed on this machine: it is needed to fetch repositories") from None
    except TimeoutError as error:
        raise Unavailable(str(error)) from None
    if done.code:
        said = done.stderr.decode("utf-8", "replace").strip()
        raise Unavailable(f"failed to fetch remote repository: git {arguments[0]}: {said}")
    return done.stdout.decode("utf-8", "replace").strip()


def _drop_git(place: Path) -> None:
    for found in list(place.rglob(".git")):
        if found.is_dir() and not found.is_symlink():
            shutil.rmtree(found)
        else:
            found.unlink()


def _dress(place: Path) -> None:
    """Give files the modes that Docker documents: 0644, executable ones and folders 0755."""
    for root, _, names in os.walk(place):
        os.chmod(root, 0o755)  # noqa: S103  # what everybody may read
        for name in names:
            path = os.path.join(root, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)


def _date(place: Path, time_s: int) -> None:
    for root, folders, names in os.walk(place, topdown=False):
        for name in (*folders, *names):
            os.utime(os.path.join(root, name), (time_s, time_s), follow_symlinks=False)
    os.utime(place, (time_s, time_s))


def _take(place: Path, folder: str, target: Path) -> None:
    if not folder.strip("/"):
        place.rename(target)
        return
    fd = os.open(place, FOLDER)
    try:
        inner = open_in_root(fd, posixpath.normpath("/" + folder), FOLDER & ~os.O_NOFOLLOW)
    except OSError:
        raise NotFound(f"repository does not contain folder {folder}") from None
    finally:
        os.close(fd)
    try:
        os.rename(os.readlink(f"/proc/self/fd/{inner}"), target)
    finally:
        os.close(inner)
