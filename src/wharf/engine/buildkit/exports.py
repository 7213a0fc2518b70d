"""Where results go (BuildKit, exporter): read from the request first, and done when results are here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from wharf.engine.buildkit.image_store import image_store
from wharf.engine.buildkit.job import Job, Outcome
from wharf.engine.buildkit.to_client import image_archive, local, tar
from wharf.errors import NotImplementedHere
from wharf.spec.buildkit.control_pb2 import Exporter

Export = Callable[[Job, Outcome], Awaitable[dict[str, str]]]
"""Takes a result where it is to go; returns what the client is told."""

_KINDS: Final[Mapping[str, Callable[[int, Mapping[str, str]], Export]]] = {
    "moby": image_store("moby"),
    "image": image_store("image"),
    "local": local,
    "tar": tar,
    "oci": image_archive("oci"),
    "docker": image_archive("docker"),
}


def planned(exporters: Sequence[Exporter]) -> list[Export]:
    """Return what is to be done with results; a client numbers what it takes by the place here.

    Raises:
        NotImplementedHere: an exporter, or an option of one, is not supported; with its name.
        InvalidArgument: an option is malformed.
    """
    plans = []
    for number, entry in enumerate(exporters):
        if entry.Type not in _KINDS:
            raise NotImplementedHere(f"the exporter {entry.Type} is not supported by this build of wharf")
        plans.append(_KINDS[entry.Type](number, entry.Attrs))
    return plans


async def export(job: Job, outcome: Outcome, plans: Sequence[Export]) -> dict[str, str]:
    """Do what a result needs, and all that is planned for it; without plans, only do the build.

    Raises:
        CallFailed: a step could not be done.
    """
    for ref in outcome.refs.values():
        if ref is not None:
            await ref.solve()
    job.ended = job.bench.context.clock.now()
    response: dict[str, str] = {}
    for plan in plans:
        response |= await plan(job, outcome)
    return response
