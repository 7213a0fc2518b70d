"""The image's configuration once its layers are there: times, and one line of history a layer. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.oci_image import History, ImageConfig

CreatedAt = Callable[[str], int | None]
"""When layers were made, by chain id, in nanoseconds; None when no build made them."""


def finished(
    image: ImageConfig,
    base: ImageConfig | None,
    chain: Sequence[str],
    created: CreatedAt,
    *,
    epoch_s: int | None,
    now_ns: int,
) -> ImageConfig:
    """Return a configuration with its times filled in; the same layers give the same times.

    Args:
        image: the conversion's.
        base: of the image below, whose history it goes on.
        chain: the chain ids of the layers, the lowest first.
        created: when a build made them.
        epoch_s: SOURCE_DATE_EPOCH; every time is that.
        now_ns: the time, for an image that nothing else dates.
    """
    inherited = len((base or {}).get("history") or [])
    layers = sum(not line.get("empty_layer") for line in (base or {}).get("history") or [])
    at = (base or {}).get("created") or ""
    lines: list[History] = []
    for number, line in enumerate(image.get("history") or []):
        dated: History = {**line}
        if number >= inherited:
            if not line.get("empty_layer") and layers < len(chain):
                made = created(chain[layers])
                at = rfc3339_nano(made) if made is not None else at
            layers += not line.get("empty_layer")
            dated["created"] = fixed(epoch_s) or at or rfc3339_nano(now_ns)
        lines.append(dated)
    last = lines[-1].get("created") if len(lines) > inherited else None
    return {**image, "created": fixed(epoch_s) or last or at or rfc3339_nano(now_ns), "history": lines}


def fixed(epoch_s: int | None) -> str:
    """Return a time in seconds as images have it; "" for none."""
    return "" if epoch_s is None else rfc3339_nano(epoch_s * 1_000_000_000).replace(".000000000Z", "Z")
