"""``build``: what an image is built from (compose-spec build.md)."""

from __future__ import annotations

from wharf.compose.model.base import Part, Size
from wharf.compose.model.mounts import FileReference
from wharf.compose.model.resources import Ulimit


class Build(Part):
    """One image's build."""

    context: str = ""
    dockerfile: str = ""
    dockerfile_inline: str = ""
    entitlements: list[str] = []
    args: dict[str, str | None] = {}
    provenance: str = ""
    sbom: str = ""
    ssh: dict[str, str | None] = {}
    labels: dict[str, str] = {}
    cache_from: list[str] = []
    cache_to: list[str] = []
    no_cache: bool = False
    no_cache_filter: list[str] | str = ""
    additional_contexts: dict[str, str] = {}
    pull: bool = False
    extra_hosts: dict[str, list[str]] = {}
    isolation: str = ""
    network: str = ""
    target: str = ""
    secrets: list[FileReference] = []
    shm_size: Size = Size(0)
    tags: list[str] = []
    ulimits: dict[str, Ulimit | int] = {}
    platforms: list[str] = []
    privileged: bool = False

    def printed(self, *, as_json: bool = False) -> dict[str, object]:
        """Return the build as it is printed: hosts and agents as lists."""
        out = super().printed(as_json=as_json)
        if self.ssh:
            out["ssh"] = [name if value is None else f"{name}={value}" for name, value in sorted(self.ssh.items())]
        if self.extra_hosts:
            out["extra_hosts"] = printed_hosts(self.extra_hosts)
        return out


def printed_hosts(hosts: dict[str, list[str]]) -> list[str]:
    """Return extra hosts as docker compose prints them: ``name=address``."""
    return sorted(f"{name}={address}" for name, addresses in hosts.items() for address in addresses)
