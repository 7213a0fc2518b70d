"""``POST /build?version=2``: how clients without buildx ask for BuildKit (docker 18.09 to 22, dockerode).

Secrets and agents come over a session as with buildx, and so does the context, unless it is the body of the request;
what is told goes back as JSON, each of BuildKit's own messages in a line of it.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping

from wharf.engine.buildkit.control import Control
from wharf.engine.buildkit.job import Jobs
from wharf.engine.builds.entitlements import NETWORK_HOST
from wharf.errors import WharfError
from wharf.spec.buildkit import control_pb2 as pb
from wharf.spec.engine_api.build import BuildRequest

Document = dict[str, object]
_TRACE = "moby.buildkit.trace"
_IMAGE = "moby.image.id"


def solve_request(request: BuildRequest, session: str, ref: str) -> pb.SolveRequest:
    """Return what a request asks for, in BuildKit's terms.

    Args:
        request: the query.
        session: the client's session; "" for none.
        ref: how the client calls the build; "" for a name of ours.
    """
    exporter = pb.Exporter(Type="moby", Attrs={"name": ",".join(request.get("t") or ())})
    return pb.SolveRequest(
        Ref=ref or secrets.token_hex(12),
        Session=session,
        Frontend="dockerfile.v0",
        FrontendAttrs=_attributes(request),
        Exporters=[exporter],
        Entitlements=[NETWORK_HOST] if request.get("networkmode") == "host" else [],
    )


def _attributes(request: BuildRequest) -> dict[str, str]:
    given: Mapping[str, object] = {
        "filename": request.get("dockerfile"),
        "target": request.get("target"),
        "platform": request.get("platform"),
        "cgroup-parent": request.get("cgroupparent"),
        "force-network-mode": "" if request.get("networkmode") == "default" else request.get("networkmode"),
        "shm-size": request.get("shmsize"),
        "context": request.get("remote"),
        "image-resolve-mode": "pull" if request.get("pull") else "",
        "cache-from": ",".join(request.get("cachefrom") or ()),
        "add-hosts": ",".join(host.replace(":", "=", 1) for host in request.get("extrahosts") or ()),
        "ulimit": ",".join(
            f"{one.get('Name')}={one.get('Soft')}:{one.get('Hard')}" for one in request.get("ulimits") or ()
        ),
    }
    attributes = {name: str(value) for name, value in given.items() if value}
    if request.get("nocache"):
        attributes["no-cache"] = ""
    built = {
        f"build-arg:{name}": value for name, value in (request.get("buildargs") or {}).items() if value is not None
    }
    labels = {f"label:{name}": value for name, value in (request.get("labels") or {}).items()}
    return attributes | built | labels


async def build(
    control: Control, jobs: Jobs, asked: pb.SolveRequest, chunks: AsyncIterator[bytes] | None
) -> AsyncGenerator[Document, None]:
    """Do a build; yields what is told, and at last the image.

    Args:
        control: does it.
        jobs: where it is found while it is done.
        asked: what is asked for.
        chunks: the archive of the context; None where the session has it, or it comes from elsewhere.
    """
    solving = asyncio.create_task(control.do(asked, chunks))
    try:
        watching = asyncio.create_task(jobs.get(asked.Ref))
        await asyncio.wait((solving, watching), return_when=asyncio.FIRST_COMPLETED)
        if not watching.done():
            watching.cancel()
        else:
            async for response in (await watching).journal.read():
                yield {"id": _TRACE, "aux": base64.b64encode(response.SerializeToString()).decode()}
        try:
            answer = await solving
        except WharfError as error:
            yield {"errorDetail": {"message": str(error)}, "error": str(error)}
            return
        yield {"id": _IMAGE, "aux": {"ID": answer.ExporterResponse["containerimage.config.digest"]}}
    finally:
        solving.cancel()
        await asyncio.gather(solving, return_exceptions=True)
