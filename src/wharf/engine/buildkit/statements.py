"""Attestations of results that are folders or archives: files beside what they are about (docs/attestations)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import stat
from collections.abc import Sequence
from typing import Final

import msgspec

from wharf.build.operations.results import Layers
from wharf.engine.buildkit.images import predicates_of
from wharf.engine.buildkit.job import Job, Ref
from wharf.engine.buildkit.sbom import SPDX
from wharf.errors import InvalidArgument
from wharf.images.image_set import Predicate, statement
from wharf.storage.trees import walk

_OTHERS: Final = "provenance.json"
_SBOM: Final = "sbom.spdx.json"


async def files_of(
    job: Job, ref: Ref | None, result: Layers, platform: str, prefix: str, *, within: str = ""
) -> dict[str, bytes]:
    """Return the files that say something of a result, by name; none where nothing is asked.

    ``within`` goes into each name, where those of several results lie beside each other.
    """
    if not job.attests.are_any(inline=False):
        return {}
    predicates = await predicates_of(job, ref, result, platform, inline=False)
    if not predicates:
        return {}
    names = [f"{prefix}{_with(name, within)}" for name in names_of(predicates)]
    return await asyncio.to_thread(_files, job, result, predicates, names)


def _files(job: Job, result: Layers, predicates: Sequence[Predicate], names: Sequence[str]) -> dict[str, bytes]:
    with job.bench.store.open(result) as root:
        subjects = [] if root is None else subjects_of(root)
    return {
        name: msgspec.json.format(msgspec.json.encode(statement(one, subjects)), indent=2)
        for name, one in zip(names, predicates, strict=True)
    }


def _with(name: str, within: str) -> str:
    stem, dot, kind = name.rpartition(".")
    return f"{stem}.{within}{dot}{kind}" if within else name


def names_of(predicates: Sequence[Predicate]) -> list[str]:
    """Return a name for each: that which its scanner gave it, or its kind's. Pure.

    Raises:
        InvalidArgument: two have the same.
    """
    names = [one.file_name or (_SBOM if one.type == SPDX else _OTHERS) for one in predicates]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument(f"duplicate attestation path name {name}")
    return names


def subjects_of(root: int) -> list[dict[str, object]]:
    """Return all files below a folder with their digests; blocking."""
    found: list[dict[str, object]] = []
    for node in walk(root):
        if not stat.S_ISREG(node.status.st_mode):
            continue
        fd = os.open(node.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=node.folder_fd)
        with os.fdopen(fd, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.append({"name": node.path.decode("utf-8", "replace"), "digest": {"sha256": digest}})
    return found
