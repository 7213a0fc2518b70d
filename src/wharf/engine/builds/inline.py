"""Images of the store that say themselves how they were made: what ``--cache-from`` takes results of."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import cast

import msgspec

from wharf.build.caches.config import Kept, inline
from wharf.build.caches.importing import Imports, results_at
from wharf.engine.context import Context
from wharf.errors import DataLoss, InvalidArgument, NotFound
from wharf.images.stored import StoredImage
from wharf.spec.buildkit_cache import INLINE
from wharf.spec.oci_image import ImageConfig


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


def with_inline_cache(config: ImageConfig, results: Iterable[Kept], chain: Sequence[str]) -> ImageConfig:
    """Return an image's configuration that says how the image was made.

    Args:
        config: the configuration.
        results: what is kept of all that was needed for it.
        chain: the chain ids of its layers, the lowest first.
    """
    records = inline(results, chain)
    told = base64.b64encode(msgspec.json.encode(records)).decode()
    return cast("ImageConfig", {**config, INLINE: told}) if records else config


async def inline_imports(context: Context, names: Sequence[str], held: ExitStack) -> Imports:
    """Return what some images say of how they were made; those that do not, or wrongly, have no part in it."""
    imports = Imports(context.images.layers.receive)
    for name in names:
        image = held.enter_context(inline_cache(context, name))
        if image is not None:
            with suppress(InvalidArgument, DataLoss):
                imports.add(image, await results_at(image))
    return imports
