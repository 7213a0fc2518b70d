"""Compose files in git repositories: ``URL[#REF[:FOLDER]]``, by the git program.

What names a repository is BuildKit's rule: ``https://...git``, ``git@host:path``, ``ssh://``, ``git://``, and
``github.com/...``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from wharf.client.programs import ask
from wharf.compose.load.located import ComposeError
from wharf.compose.remote.cache import kept
from wharf.errors import NotFound, WharfError

_SCP = re.compile(r"[\w.+-]+@[\w.-]+:(?!//)")
_COMMIT = re.compile(r"[0-9a-f]{40}\Z")
_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
# Nothing of the repository's is run, and no other way to fetch is taken than the one that was named.
_CAUTIONS = ("-c", "core.hooksPath=/dev/null", "-c", "protocol.ext.allow=never", "-c", "core.fsmonitor=false",
             "-c", "advice.detachedHead=false")  # fmt: skip


@dataclass(frozen=True, slots=True)
class GitSource:
    """A commit of a repository, and a place in it."""

    remote: str
    ref: str  # a branch, a tag or a commit; empty: the default branch
    place: str  # a folder or file in it; empty: its root


def git_source(address: str) -> GitSource | None:
    """Return what an address means as a git repository; None where it means none.

    Raises:
        ComposeError: it means one, and is malformed.
    """
    remote, _, fragment = address.partition("#")
    if remote.startswith("github.com/"):
        remote = f"https://{remote}"
    scheme, colon, _ = remote.partition("://")
    if colon and scheme in {"http", "https"}:
        if not remote.endswith(".git") and not address.startswith("github.com/"):
            return None
    elif not (colon and scheme in {"git", "ssh"}) and not _SCP.match(remote):
        return None
    ref, _, place = fragment.partition(":")
    place = os.path.normpath(place) if place else ""
    if ref.startswith("-") or remote.startswith("-") or "\0" in address:
        raise ComposeError(f"invalid git reference: {address!r}")
    if os.path.isabs(place) or place == ".." or place.startswith("../"):
        raise ComposeError(f"git subdirectory must be relative and below the repository, got: {fragment}")
    return GitSource(remote, ref, "" if place == "." else place)


def bring_commit(source: GitSource, cache: str, environment: Mapping[str, str]) -> str:
    """Return the path of the Compose file that a repository holds, fetched when its commit is a new one.

    Raises:
        ComposeError: there is no such commit, or no Compose file at the place in it.
        WharfError: it cannot be had.
    """
    variables = {"GIT_TERMINAL_PROMPT": "0", **environment}
    if not variables.get("GIT_SSH") and not variables.get("GIT_SSH_COMMAND"):
        variables["GIT_SSH_COMMAND"] = "ssh -o ControlMaster=no -o BatchMode=yes"
    commit = source.ref if _COMMIT.match(source.ref) else _resolve(source, variables)

    def fill(folder: str) -> None:
        _git(variables, "init", "--quiet", folder)
        _git(variables, "-C", folder, "fetch", "--quiet", "--depth=1", "--no-tags", "--", source.remote, commit)
        _git(variables, "-C", folder, "checkout", "--quiet", commit)

    return _compose_file(kept(cache, f"git-{commit}", fill), source)


def _compose_file(folder: str, source: GitSource) -> str:
    root = os.path.realpath(folder)
    place = os.path.join(root, source.place)
    for path in (place, *(os.path.join(place, name) for name in _NAMES)):
        if os.path.isfile(path):
            if not os.path.realpath(path).startswith(f"{root}/"):
                raise ComposeError(f"{source.remote}: {os.path.relpath(path, root)} leads out of the repository")
            return path
    raise ComposeError(f"{source.remote}: there is no Compose file in {source.place or 'its root'}")


def _resolve(source: GitSource, variables: Mapping[str, str]) -> str:
    code, said, complaint = _run(variables, "ls-remote", "--exit-code", "--", source.remote, source.ref or "HEAD")
    if code == 2:
        raise ComposeError(f"repository does not contain ref {source.ref or 'HEAD'}: {source.remote}")
    if code:
        raise WharfError(f"failed to access repository at {source.remote}:\n  {complaint}")
    return chosen(said.decode("utf-8", "replace"), source.ref or "HEAD")


def chosen(said: str, ref: str) -> str:
    """Return the commit that ``ref`` names in an answer of git-ls-remote(1), which lists all that end with it. Pure.

    Raises:
        ComposeError: none of them is ``ref`` itself, a branch or a tag of that name.
    """
    commits = {name: commit for commit, _, name in (line.partition("\t") for line in said.splitlines())}
    for name in (f"refs/tags/{ref}", f"refs/heads/{ref}", ref):
        commit = commits.get(f"{name}^{{}}") or commits.get(name)
        if commit is None:
            continue
        if not _COMMIT.match(commit):
            raise WharfError(f"unexpected answer of git: {commit!r}")
        return commit
    raise ComposeError(f"repository does not contain ref {ref}")


def _git(variables: Mapping[str, str], *words: str) -> None:
    code, _, complaint = _run(variables, *words)
    if code:
        raise WharfError(f"git failed:\n  {complaint}")


def _run(variables: Mapping[str, str], *words: str) -> tuple[int, bytes, str]:
    try:
        return ask(["git", *_CAUTIONS, *words], environment=variables)
    except FileNotFoundError as error:
        raise NotFound("git repositories are read by the git program, which is not installed") from error
    except OSError as error:
        raise WharfError(f"cannot run git: {(error.strerror or '').lower()}") from error
