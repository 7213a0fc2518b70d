"""Images of the store that say themselves how they were made: what ``--cache-from`` takes results of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from wharf.build.caches.importing import Imports, results_at
from wharf.engine.context import Context
from wharf.errors import DataLoss, InvalidArgument, NotFound
from wharf.images.stored import StoredImage
from wharf.spec.buildkit_cache import INLINE


@contextmanager
def inline_cache(context: Context, name: str) -> Iterator[StoredImage | None]:
    """Give an image, which stays while within; None when it is not here, or has no cache in it."""
    try:
        record = context.images.resolve(name)
    except (NotFound, InvalidArgument):
        yield None
        return
    if INLINE not in record.config:
        yield None
        return
    with context.images.hold(record):
        yield context.images.stored(record)


async def inline_imports(context: Context, names: Sequence[str], held: ExitStack) -> Imports:
    """Return what some images say of how they were made; those that do not, or wrongly, have no part in it."""
    imports = Imports(context.images.layers.receive)
    for name in names:
        image = held.enter_context(inline_cache(context, name))
        if image is not None:
            with suppress(InvalidArgument, DataLoss):
                imports.add(image, await results_at(image))
    return imports
