"""Results taken from caches that a client names, and written to them: steps of a job that people see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import msgspec

from wharf.build.caches.config import Kept
from wharf.build.caches.exporting import Place, export
from wharf.build.caches.importing import results_at
from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import Description, Vertex
from wharf.build.operations.results import Layers, Result
from wharf.build.session.contents import ClientStore
from wharf.build.session.credentials import credentials
from wharf.engine.buildkit.cache_options import CacheFrom, CacheTo
from wharf.engine.buildkit.job import Job, Outcome
from wharf.engine.builds.inline import inline_cache
from wharf.errors import WharfError
from wharf.images.stored import StoredImage
from wharf.lib.digest import chain_ids
from wharf.lib.reference import Reference

_RESPONSE = "cache.manifest"
_SEVERAL = 2


async def take_caches(job: Job, caches: Sequence[CacheFrom]) -> None:
    """Look into caches, all at once. One that cannot be had, or is malformed, is told of and left out."""
    new = [one for one in caches if one not in job.looked_into]
    job.looked_into.update(new)
    await asyncio.gather(*(_take(job, one) for one in new))


async def _take(job: Job, cache: CacheFrom) -> None:
    name = str(cache.reference or cache.folder)
    about = f"importing cache manifest from {name}"
    with job.progress.telling(Vertex(Source(f"cache://{name}"), (), job.ref, Description(about))) as told:
        try:
            place = _image_here(job, cache) or await _place(job, cache.reference, cache.folder, cache.digest)
            job.imports.add(place, await results_at(place))
        except WharfError as error:
            told.error = str(error)


def _image_here(job: Job, cache: CacheFrom) -> StoredImage | None:
    """Return an image of the store that has a cache in it: nobody need be asked for it."""
    if cache.reference is None:
        return None
    return job.stack.enter_context(inline_cache(job.bench.context, str(cache.reference)))


async def write_caches(job: Job, outcome: Outcome, caches: Sequence[CacheTo]) -> dict[str, str]:
    """Write what is kept of a build's results; return what the client is told: the last manifest that was written.

    BuildKit's clients enter that one in all of their folders. Where manifests of folders differ, each is told too, as
    ``cache.manifest/FOLDER``.

    Raises:
        WharfError: a cache could not be written, and was not to be done without.
    """
    told: dict[str, str] = {}
    folders: dict[str, str] = {}
    for cache in caches:
        if cache.kind == "inline" or not (written := await _write(job, outcome, cache)):
            continue
        told = {_RESPONSE: written}
        if cache.folder:
            folders[f"{_RESPONSE}/{cache.folder}"] = written
    return told if len(set(folders.values())) < _SEVERAL else {**told, **folders}


async def _write(job: Job, outcome: Outcome, cache: CacheTo) -> str:
    """Write one; return its manifest's descriptor, as JSON, empty for none."""
    name = str(cache.reference or cache.folder)
    about = f"exporting cache to {'client directory' if cache.kind == 'local' else 'registry'} {name}"
    with job.progress.telling(Vertex(Source(f"cache://{name}"), (), f"{job.ref} to", Description(about))) as ending:
        try:
            place = await _place(job, cache.reference, cache.folder)
            kept = await kept_of(job, outcome, everything=cache.everything)
            with job.bench.context.images.layers.shelf(cache.compression) as shelf:
                written = await export(place, kept, shelf, cache.form)
        except WharfError as error:
            if not cache.ignore_error:
                raise
            ending.error = str(error)
            return ""
    return msgspec.json.encode(written).decode() if written else ""


async def kept_of(job: Job, outcome: Outcome, *, everything: bool) -> list[Kept]:
    """Return what is kept of results: all that was needed for them, or only what is in them."""
    found: list[Kept] = []
    for ref in outcome.refs.values():
        if ref is None:
            continue
        kept = await ref.kept()
        found += kept if everything else within(kept, chain_of(job, await ref.solve()))
    return found


def within(kept: Iterable[Kept], chain: Sequence[str]) -> list[Kept]:
    """Return the results that are among these layers."""
    return [one for one in kept if one.chain_id in chain]


def chain_of(job: Job, result: Result) -> list[str]:
    """Return the chain ids of a result's layers, the lowest first."""
    if not isinstance(result, Layers):
        return []
    return [str(one) for one in chain_ids(job.bench.context.snapshots.diff_ids(result.chain_id))]


async def _place(job: Job, reference: Reference | None, folder: str, digest: str = "") -> Place:
    if reference is None:
        return ClientStore(job.session, f"local:{folder}", digest)
    found = await credentials(job.session, reference.domain)
    return job.bench.context.images.transfers.artifact(reference, found)
