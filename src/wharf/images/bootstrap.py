"""Base images without a registry: ``busybox`` and ``debian:SUITE``, made of the host's own packages."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wharf.errors import InvalidArgument
from wharf.images import busybox, debian
from wharf.images.apt_sources import complete_lines
from wharf.images.intake import Intake, encode_config
from wharf.images.record import ImageRecord
from wharf.kernel.process import Stop
from wharf.lib.reference import Reference, parse_reference
from wharf.storage import trees

_PROGRESS_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Base:
    """What to make, checked."""

    distribution: str
    suite: str
    include: tuple[str, ...]
    reference: Reference


def parse_base(name: str, include: Sequence[str], reference: str | None) -> Base:
    """Return what ``name`` asks for. Pure.

    Raises:
        InvalidArgument: there is no such base, or it takes no packages.
    """
    distribution, _, suite = name.partition(":")
    called = parse_reference(reference or name).with_default_tag()
    if called.digest:
        raise InvalidArgument("refusing to create a tag with a digest reference")
    if distribution == "busybox":
        if include:
            raise InvalidArgument("busybox takes no packages: use debian:SUITE with --include")
        return Base(distribution, suite, (), called)
    if distribution == "debian":
        if not suite:
            raise InvalidArgument("name a suite, as in debian:bookworm")
        debian.check(suite, include)
        return Base(distribution, suite, tuple(include), called)
    raise InvalidArgument(f"cannot bootstrap {name!r}: known are busybox and debian:SUITE")


def make_base(base: Base, intake: Callable[[], Intake], folder: Path, now: str, stop: Stop) -> ImageRecord:
    """Make the image; blocking, for Debian minutes. ``folder`` is where it works: made for that, and removed.

    Raises:
        NotFound: something that it is made of is not on this machine; the message names it.
        Unavailable: packages could not be fetched or installed, or it was ended by ``stop``.
    """
    folder.mkdir()
    folder.chmod(0o755)  # mmdebstrap's helpers are other users
    try:
        with intake() as taking:
            return _make(base, taking, folder, now, stop)
    finally:
        trees.remove(folder, folder.parent)


def _make(base: Base, intake: Intake, folder: Path, now: str, stop: Stop) -> ImageRecord:
    if base.distribution == "busybox":
        layer = intake.layer(io.BytesIO(busybox.layer()))
        config = busybox.configuration(layer.diff_id)
    else:
        with debian.make(base.suite, base.include, folder, stop).open("rb") as archive:
            layer = intake.layer(archive)
        config = debian.configuration(base.suite, base.include, layer.diff_id)
    return intake.commit(encode_config(config), [layer], [base.reference], now)


async def follow(
    base: Base, folder: Path, making: Coroutine[object, object, ImageRecord]
) -> AsyncGenerator[dict[str, object], None]:
    """Run ``making`` and yield what it logs in ``folder``; at last what was made. Whoever leaves cancels it."""
    work = asyncio.ensure_future(making)
    try:
        shown = 0
        while not work.done():
            await asyncio.wait({work}, timeout=_PROGRESS_S)
            lines = await asyncio.to_thread(complete_lines, folder / "log", shown)
            for line in lines:
                if str(folder) not in line:  # hooks and temporary names are nobody's news
                    yield {"status": line.removeprefix("I: ")}
            shown += len(lines)
        record = await work
    finally:
        work.cancel()
        await asyncio.wait({work})
    yield {"status": f"Tagged {base.reference.familiar}"}
    yield {"status": record.id}
