"""How a result of a job was made, as an attestation of it."""

from __future__ import annotations

from collections.abc import Iterator

from wharf.build.graph.operations import Source
from wharf.build.graph.vertex import walk
from wharf.build.provenance.facts import Facts, Material
from wharf.build.provenance.predicate import predicate
from wharf.engine.buildkit.job import Job, Origin, Ref
from wharf.errors import InvalidArgument, NotFound
from wharf.images.image_set import Predicate, purl
from wharf.images.platform import host, parse_platform
from wharf.lib.digest import hex_of
from wharf.lib.reference import parse_reference
from wharf.spec.oci_image import Platform as PlatformDocument


def provenance_of(job: Job, ref: Ref | None) -> Predicate | None:
    """Return what is said of how a result was made; None when nothing is asked, or known."""
    asked = job.attests.provenance
    if asked is None or ref is None:
        return None
    return Predicate(*predicate(facts_of(job, ref.origin), asked))


def facts_of(job: Job, origin: Origin) -> Facts:
    """Return what is known."""
    brought = origin.sources.brought
    return Facts(
        invocation=job.ref,
        started=job.began,
        finished=job.ended,
        platform=str(host()),
        frontend=origin.frontend,
        arguments=origin.attributes,
        filename=origin.filename,
        text=origin.text,
        remote=Material(origin.remote, brought.get(origin.remote, {})) if origin.remote else None,
        target=origin.target,
        materials=tuple(dict.fromkeys(_materials(job, origin))),
    )


def _materials(job: Job, origin: Origin) -> Iterator[Material]:
    for vertex in walk(origin.target) if origin.target else ():
        source = vertex.operation
        if not isinstance(source, Source):
            continue
        match source.scheme:
            case "docker-image":
                if (image := _image(job, source.rest, vertex.platform)) is not None:
                    yield image
            case "git":
                address = source.attribute("git.fullurl") or source.rest
                yield Material(address, _Digest(origin.sources.brought.get(source.identifier, {})))
            case "http" | "https":
                yield Material(source.identifier, _Digest(origin.sources.brought.get(source.identifier, {})))


def _image(job: Job, name: str, platform: str) -> Material | None:
    """Return an image as a material; None for one that has gone, or that the client itself has given."""
    images = job.bench.context.images
    try:
        record = images.resolve(name, platform or None)
    except (NotFound, InvalidArgument):
        return None
    where = parse_platform(platform) if platform else host()
    document: PlatformDocument = {"os": where.os, "architecture": where.architecture}
    if where.variant:
        document["variant"] = where.variant
    address = purl(parse_reference(name).with_default_tag(), document)
    return Material(address, _Digest({"sha256": hex_of(images.target(record, name))}))


class _Digest(dict[str, str]):
    """Digests by algorithm, which can be compared as a whole."""

    def __hash__(self) -> int:  # type: ignore[override]  # nothing changes them
        return hash(tuple(self.items()))
