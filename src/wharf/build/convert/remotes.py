"""Addresses of repositories and files, as ADD and build contexts take them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, urlsplit, urlunsplit

from wharf.errors import InvalidArgument

_SCP: Final = re.compile(r"(?:[\w.-]+@)[\w.-]+:(?!//)[^#\s]+(?:#.*)?")
_BARE_HOSTS: Final = ("github.com/", "gitlab.com/", "bitbucket.org/")
_QUERY: Final = ("ref", "branch", "tag", "commit", "checksum", "subdir", "keep-git-dir", "submodules", "mtime")


@dataclass(frozen=True, slots=True)
class GitAddress:
    """A repository, and what of it."""

    remote: str
    ref: str = ""
    folder: str = ""
    checksum: str = ""
    keep_git_dir: bool = False
    submodules: bool = True
    commit_times: bool = False  # files have the commit's time, instead of that of the checkout

    @property
    def identifier(self) -> str:
        """The name of its source."""
        fragment = f"#{self.ref}" + (f":{self.folder}" if self.folder else "") if self.ref or self.folder else ""
        return f"git://{self.remote}{fragment}"

    @property
    def attributes(self) -> dict[str, str]:
        """Attributes of its source (BuildKit, "git" source)."""
        times = {"git.mtime": "commit"} if self.commit_times else {}
        return times if self.submodules else {**times, "git.skipsubmodules": "true"}


def is_web(text: str) -> bool:
    """Return whether ``text`` is the address of a file on the web."""
    return text.startswith(("http://", "https://")) and parse_git(text) is None


def parse_git(text: str) -> GitAddress | None:
    """Return the repository that ``text`` is the address of, None when it is that of none.

    Raises:
        InvalidArgument: its query has what nobody knows.
    """
    if _SCP.fullmatch(text):
        remote, _, fragment = text.partition("#")
        return _with_fragment(remote, fragment, {})
    parts = urlsplit(text)
    if parts.scheme in ("http", "https"):
        if not parts.path.removesuffix("/").endswith(".git"):
            return None
    elif parts.scheme not in ("git", "ssh"):
        if not text.startswith(_BARE_HOSTS):
            return None
        parts = urlsplit(f"https://{text}")
    query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    if unknown := sorted(set(query) - set(_QUERY)):
        raise InvalidArgument(f"unexpected query {unknown[0]!r} in the address of a git repository")
    return _with_fragment(urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")), parts.fragment, query)


def _with_fragment(remote: str, fragment: str, query: dict[str, str]) -> GitAddress:
    ref, _, folder = fragment.partition(":")
    named = [query[name] for name in ("ref", "branch", "tag") if query.get(name)]
    if len(named) + bool(ref) > 1:
        raise InvalidArgument("conflicting refs in the address of a git repository")
    if query.get("branch"):
        named = [f"refs/heads/{query['branch']}"]
    elif query.get("tag"):
        named = [f"refs/tags/{query['tag']}"]
    if query.get("mtime", "") not in ("", "checkout", "commit"):
        raise InvalidArgument(f'invalid mtime value: {query["mtime"]!r} (must be "checkout" or "commit")')
    return GitAddress(
        remote,
        ref=ref or (named[0] if named else query.get("commit", "")),
        folder=folder or query.get("subdir", ""),
        checksum=query.get("checksum") or query.get("commit", ""),
        keep_git_dir=query.get("keep-git-dir", "false") in ("", "1", "true"),
        submodules=query.get("submodules", "true") in ("", "1", "true"),
        commit_times=query.get("mtime") == "commit",
    )
