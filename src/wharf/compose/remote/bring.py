"""Names of resources that are elsewhere, to paths of their copies here."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from wharf.compose.load.located import ComposeError
from wharf.errors import InvalidArgument

_OCI = "oci://"
_FALSE = frozenset({"0", "f", "F", "false", "False", "FALSE"})
_TRUE = frozenset({"1", "t", "T", "true", "True", "TRUE"})


class Remotes:
    """Brings artifacts and git repositories; each once."""

    def __init__(self, environment: Mapping[str, str], *, insecure: Collection[str] = ()) -> None:
        """Prepare.

        Args:
            environment: Where the cache and stored credentials are; variables of git.
            insecure: Domains of registries that need no good certificate, nor TLS; those on loopback do not.
        """
        self._environment = environment
        self._insecure = insecure
        self._brought: dict[str, str] = {}

    @property
    def brought(self) -> list[str]:
        """The names of what was brought, in that order."""
        return list(self._brought)

    def __call__(self, name: str) -> str | None:
        """Return the path of the copy of what ``name`` means; None where it is no remote resource.

        Raises:
            WharfError: it cannot be had.
        """
        if name not in self._brought:
            found = self._artifact(name) if name.startswith(_OCI) else self._repository(name)
            if found is None:
                return None
            self._brought[name] = found
        return self._brought[name]

    def _artifact(self, name: str) -> str:
        from wharf.compose.remote.cache import cache_folder  # noqa: PLC0415  # most files are local
        from wharf.compose.remote.oci import bring_artifact  # noqa: PLC0415
        from wharf.lib.reference import parse_reference  # noqa: PLC0415

        _check_allowed("OCI", "COMPOSE_EXPERIMENTAL_OCI_REMOTE", self._environment)
        plain = parse_reference(name.removeprefix(_OCI)).domain in self._insecure
        return bring_artifact(name, cache_folder(self._environment), self._environment, plain=plain)

    def _repository(self, name: str) -> str | None:
        if not _may_be_git(name):
            return None
        from wharf.compose.remote.cache import cache_folder  # noqa: PLC0415  # most files are local
        from wharf.compose.remote.git import bring_commit, git_source  # noqa: PLC0415

        source = git_source(name)
        if source is None:
            return None
        _check_allowed("git", "COMPOSE_EXPERIMENTAL_GIT_REMOTE", self._environment)
        return bring_commit(source, cache_folder(self._environment), self._environment)


def is_elsewhere(name: str) -> bool:
    """Return whether a name means a resource that would be brought."""
    if name.startswith(_OCI) or not _may_be_git(name):
        return name.startswith(_OCI)
    from wharf.compose.remote.git import git_source  # noqa: PLC0415  # most files are local

    return git_source(name) is not None


def _may_be_git(name: str) -> bool:
    return "://" in name or "@" in name or name.startswith("github.com/")


def _check_allowed(kind: str, variable: str, environment: Mapping[str, str]) -> None:
    value = environment.get(variable, "")
    if value in _FALSE:
        raise ComposeError(f'{kind} remote resource is disabled by "{variable}"')
    if value and value not in _TRUE:
        raise InvalidArgument(f"{variable} environment variable expects boolean value: {value!r}")
