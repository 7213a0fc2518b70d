"""One build: its Dockerfile, the images it starts from, its graph, and the image that comes out."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from types import TracebackType

from wharf.build.caches.config import Kept
from wharf.build.caches.importing import Imports
from wharf.build.convert.convert import Converted, Missing
from wharf.build.convert.options import BaseImage, ImageName, Options
from wharf.build.graph.vertex import Edge
from wharf.build.history import finished
from wharf.build.operations.mounting import Offers
from wharf.build.operations.results import Layers, Result
from wharf.build.solver.cache import Cache
from wharf.build.solver.progress import Progress
from wharf.build.solver.solver import Solver, Workshop
from wharf.engine.builds.inline import with_inline_cache
from wharf.engine.builds.platforms import require_runnable
from wharf.engine.builds.readings import Reading, question_of
from wharf.engine.builds.sources import Sources
from wharf.engine.context import Context
from wharf.errors import InvalidArgument
from wharf.images.record import ImageRecord
from wharf.images.squashing import Foundation, SquashRequest
from wharf.lib.digest import Digest, chain_ids
from wharf.lib.memo import Memo
from wharf.lib.reference import Reference
from wharf.spec.oci_image import ImageConfig


class Project:
    """Used with ``async with``, which gives the graph; the images it starts from stay until the end."""

    def __init__(self, context: Context, sources: Sources, reading: Reading, options: Options) -> None:
        """Begin with nothing.

        Raises:
            DockerfileError: the Dockerfile is malformed.
        """
        self._context = context
        self._sources = sources
        self._reading = reading
        self.dockerfile = reading.dockerfile
        self.options = options
        self.images: dict[ImageName, BaseImage] = {}
        """The images that it starts from, once it is entered."""
        self._held = ExitStack()
        self._solving = AsyncExitStack()
        self._solver: Solver | None = None
        self._converted: Converted | None = None

    async def __aenter__(self) -> Converted:
        """Convert the Dockerfile, asking for images as they turn out to be needed.

        Raises:
            DockerfileError: it is malformed.
            NotFound: an image does not exist.
            NotImplementedHere: commands of another platform, and there is no emulator.
        """
        known = self.images
        try:
            while isinstance(found := self._reading.convert(self.options, known), Missing):
                for name in found.images:
                    known[name] = await self._sources.base_image(name, self.options, self._held)
            if found.target is not None:
                require_runnable(found.target, self.options.host)
        except BaseException:
            self._held.close()
            raise
        self._converted = found
        return found

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the images."""
        await self._solving.aclose()
        self._held.close()

    async def solve(
        self, workshop: Workshop, offers: Offers, progress: Progress, imports: Imports | None = None
    ) -> Layers:
        """Do what the graph says, once, and return the layers that come out.

        Raises:
            StepFailed: a step could not be done.
        """
        assert self._converted is not None
        target = self._converted.target
        solver = Solver(workshop, self._sources.fetch, offers, progress, imports)
        await self._solving.enter_async_context(solver)
        try:
            result = Layers() if target is None else await solver.solve(target)
        except BaseException:
            await self._solving.aclose()  # what is still under way is for nothing
            raise
        if not isinstance(result, Layers):
            raise InvalidArgument("the build's target is a context: copy something of it into a stage")
        if result.chain_id:
            self._held.enter_context(self._context.images.hold_layers(result.chain_id))
        self._solver = solver
        return result

    async def scans(self) -> dict[str, Result]:
        """Return what is to be scanned besides the result, by name, once that is solved.

        Raises:
            StepFailed: a stage could not be done: the result may have been known without it.
        """
        assert self._converted is not None
        assert self._solver is not None
        solver, asked = self._solver, self._converted.scans
        return {name: Layers() if edge is None else await solver.solve(edge) for name, edge in asked.items()}

    async def kept(self) -> list[Kept]:
        """Return what is kept of all that the build needs, once it is solved."""
        if self._solver is None or self._converted is None or self._converted.target is None:
            return []
        return await self._solver.kept(self._converted.target)

    @property
    def target(self) -> Edge | None:
        """What the graph is for; None for nothing."""
        return None if self._converted is None else self._converted.target

    @property
    def sources(self) -> Sources:
        """Where its bytes come from."""
        return self._sources

    @property
    def image(self) -> ImageConfig:
        """The configuration of the image, without what only its layers tell."""
        assert self._converted is not None
        return self._converted.image

    @property
    def epoch_s(self) -> int | None:
        """SOURCE_DATE_EPOCH, where the build has it."""
        return None if self._converted is None else self._converted.epoch_s

    @property
    def base_chain(self) -> str:
        """The chain id of the image below the target; "" for none."""
        base = None if self._converted is None else self._converted.base
        diff_ids = [Digest(one) for one in base.config.get("rootfs", {}).get("diff_ids", ())] if base else []
        return str(chain_ids(diff_ids)[-1]) if diff_ids else ""

    def configuration(self, result: Layers, cache: Cache, epoch_s: int | None = None) -> ImageConfig:
        """Return the configuration of the image, all but its ``rootfs``; ``epoch_s`` is its time, if it has one."""
        converted, context = self._converted, self._context
        assert converted is not None
        diff_ids = context.snapshots.diff_ids(result.chain_id)
        return finished(
            converted.image,
            converted.base.config if converted.base else None,
            [str(one) for one in chain_ids(diff_ids)],
            cache.created_ns,
            epoch_s=converted.epoch_s if epoch_s is None else epoch_s,
            now_ns=context.clock.now_ns(),
        )

    async def _with_cache(self, configuration: ImageConfig, result: Layers) -> ImageConfig:
        kept = await self.kept()
        if self.epoch_s is not None:  # the same build gives the same image
            kept = [replace(one, created_ns=self.epoch_s * 1_000_000_000) for one in kept]
        chain = chain_ids(self._context.snapshots.diff_ids(result.chain_id))
        return with_inline_cache(configuration, kept, [str(one) for one in chain])

    async def export(
        self, result: Layers, cache: Cache, names: list[Reference], made: Memo[Digest], *, squash: bool = False
    ) -> str:
        """Make the image, which says how it was made, and return its id.

        As with Docker's old builder, any image that it made is a cache to others (``--cache-from``).

        Args:
            result: its layers.
            cache: knows when they were made.
            names: what it is called from now on.
            made: images of earlier builds; one of the very same steps is made again by naming it.
            squash: make one layer of the target stage's. As with Docker the image without that is kept, nameless.
        """
        context = self._context
        assert self._converted is not None
        own, layers = self._converted.own_layers if squash else 0, context.images.layers
        question = None if own else await self._question(result, cache)
        known = None if question is None else made.find(question)
        image = await layers.name(known, names) if known else None
        if image is None:
            configuration = self.configuration(result, cache)
            if not own:
                configuration = await self._with_cache(configuration, result)
            image = await layers.assemble(configuration, result.chain_id, () if own else names)
            if question is not None:
                made.put(question, image.id)
        if own:
            image = await layers.squash(SquashRequest(image, _below(image, own), names))
        context.events.publish("image", "create", image.id, {"name": image.id})
        for name in names:
            context.events.publish("image", "tag", image.id, {"name": name.familiar})
        return image.id

    async def _question(self, result: Layers, cache: Cache) -> Hashable | None:
        """Return what the image follows from; None where it is to be made anew, whatever was made before."""
        asked = question_of(self.options, self.images)
        if asked is None or self.options.no_cache or self.options.no_cache_stages:
            return None
        key = await self._solver.key(self.target) if self._solver and self.target else ""
        return self._reading.digest, asked, result.chain_id, key, cache.changes


def _below(image: ImageRecord, own: int) -> Foundation | None:
    """Return the layers that the last ``own`` lie on; None for nothing."""
    below = list(image.diff_ids)[:-own]
    return Foundation(below) if below else None
