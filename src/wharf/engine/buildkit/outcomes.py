"""What a record tells of a build's results: how each was made, and what was exported."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import msgspec

from wharf.build.provenance.predicate import Asked, predicate
from wharf.engine.buildkit.job import Job, Outcome
from wharf.engine.buildkit.provenance import facts_of
from wharf.images.image_set import IN_TOTO
from wharf.lib.digest import digest_of
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.oci_image import Descriptor

_PREDICATE = "in-toto.io/predicate-type"


def results_of(
    job: Job, outcome: Outcome, response: Mapping[str, str]
) -> tuple[dict[str, pb.BuildResultInfo], list[bytes]]:
    """Return what is told of results, by platform, and the documents that this refers to.

    A record has provenance whether or not the images say it of themselves.
    """
    asked = job.attests.provenance or Asked(everything=True)
    found: dict[str, pb.BuildResultInfo] = {}
    documents: list[bytes] = []
    for platform, ref in outcome.refs.items():
        info = found[platform] = pb.BuildResultInfo()
        if ref is None:
            continue
        kind, value = predicate(facts_of(job, ref.origin), asked)
        data = msgspec.json.encode(value)
        documents.append(data)
        told = info.Attestations.add(media_type=IN_TOTO, digest=digest_of(data), size=len(data))
        told.annotations[_PREDICATE] = kind
    if encoded := response.get("containerimage.descriptor"):
        top = msgspec.json.decode(base64.b64decode(encoded), type=Descriptor)
        whole = found.setdefault("", pb.BuildResultInfo())
        whole.Results[0].media_type = top.get("mediaType", "")
        whole.Results[0].digest, whole.Results[0].size = str(top["digest"]), top.get("size", 0)
    return found, documents
