"""What an engine's record of a build says of how its results were made, for ``--metadata-file``."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import Final

from wharf.rpc.channel import Channel
from wharf.rpc.methods import decoded
from wharf.spec.buildkit import content_pb2 as content
from wharf.spec.buildkit import control_pb2 as pb

_LISTEN: Final = "/moby.buildkit.v1.Control/ListenBuildHistory"
_READ: Final = "/containerd.services.content.v1.Content/Read"
KEY: Final = "buildx.build.provenance"
_SLSA: Final = "https://slsa.dev/provenance/"
_TOO_MUCH: Final = ("buildConfig", "metadata")  # of mode=max: docker buildx writes no more either


async def provenance(channel: Channel, ref: str) -> dict[str, str]:
    """Return the provenance of a build's results, JSON in base64, by the keys that docker buildx has for it.

    Raises:
        CallFailed: the engine does not tell.
    """
    found: dict[str, str] = {}
    async with channel.open(_LISTEN) as call:
        await call.send(pb.BuildHistoryRequest(Ref=ref, EarlyExit=True).SerializeToString())
        await call.finish()
        records = [decoded(pb.BuildHistoryEvent, message).record async for message in call.messages()]
    for record in records:
        for key, digest in digests_of(record):
            document = json.loads(await _read(channel, digest))
            said = {name: value for name, value in document.items() if name not in _TOO_MUCH}
            found[key] = b64encode(json.dumps(said).encode()).decode()
    return found


def digests_of(record: pb.BuildHistoryRecord) -> Iterator[tuple[str, str]]:
    """Yield the digests of a record's provenance, each with its key."""
    results: Iterable[tuple[str, pb.BuildResultInfo]] = [(KEY, record.Result)]
    results = [*results, *((f"{KEY}/{platform}", info) for platform, info in record.Results.items())]
    for key, info in results:
        for one in info.Attestations:
            if one.annotations.get("in-toto.io/predicate-type", "").startswith(_SLSA):
                yield key, one.digest


async def _read(channel: Channel, digest: str) -> bytes:
    data = b""
    async with channel.open(_READ) as call:
        await call.send(content.ReadContentRequest(digest=digest).SerializeToString())
        await call.finish()
        async for message in call.messages():
            data += decoded(content.ReadContentResponse, message).data
    return data
