"""docker build --check and --call: questions about a Dockerfile, answered without building it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from wharf.build.checks import print as findings
from wharf.build.checks.check import Report
from wharf.build.convert.convert import Conversion, Known, Missing
from wharf.build.convert.options import UNKNOWN_IMAGE, BaseImage, ImageName, Options
from wharf.build.describe import outline, targets
from wharf.build.dockerfile.stages import read
from wharf.engine.builds.readings import Reading
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.ignore import Matcher

Resolve = Callable[[ImageName, Options, ExitStack], BaseImage]
"""Finds an image that a build starts from."""


@dataclass(frozen=True, slots=True)
class Text:
    """A Dockerfile, with its name and what is left out of its context."""

    name: str
    source: str
    ignored: Matcher


@dataclass(frozen=True, slots=True)
class Answer:
    """For people, for programs, and the exit code of a command that asked."""

    text: str
    document: dict[str, object]
    code: int = 0


def answer(call: str, text: Text, options: Options, resolve: Resolve) -> Answer:
    """Answer a question about a Dockerfile.

    Args:
        call: ``check`` (or ``lint``), ``outline`` or ``targets``.
        text: the Dockerfile.
        options: of the build that would be.
        resolve: how images are found; what one that is not there would say is left out of the answer.

    Raises:
        InvalidArgument: the question is unknown, or the Dockerfile malformed.
    """
    if call == "targets":
        dockerfile = read(text.source)
        return Answer(targets.as_text(dockerfile), targets.as_document(dockerfile))
    if call == "outline":
        return _outline(text, options, resolve)
    if call not in ("check", "lint"):
        raise InvalidArgument(f'unknown call "{call}": it is check, outline or targets')
    report = checked(text, options, resolve, every_stage=not options.target)
    broken = bool(report.findings) or report.error is not None
    return Answer(
        findings.as_text(report, text.name, text.source),
        findings.as_document(report, text.name, text.source),
        int(broken),
    )


def checked(
    text: Text,
    options: Options,
    resolve: Resolve,
    *,
    every_stage: bool,
    images: Known | None = None,
    reading: Reading | None = None,
) -> Report:
    """Return what a Dockerfile should not say.

    Args:
        text: the file.
        options: of the build.
        resolve: finds images.
        every_stage: look at those too that the build does not need.
        images: those that are known already.
        reading: of the file, if it was read before.

    Raises:
        InvalidArgument: it is malformed.
    """
    reading = reading or Reading(text.source)
    known: dict[ImageName, BaseImage] = dict(images or {})
    with ExitStack() as held:
        while True:
            found = reading.check(options, known, text.ignored, every_stage=every_stage)
            if not isinstance(found, Missing):
                return found
            known |= {name: _found(name, options, held, resolve) for name in found.images}


def _outline(text: Text, options: Options, resolve: Resolve) -> Answer:
    known: dict[ImageName, BaseImage] = {}
    with ExitStack() as held:
        while True:
            conversion = Conversion(read(text.source), options, known)
            target = conversion.target()
            conversion.stage(target)
            if not conversion.missing:
                told = outline.outline(conversion, target)
                return Answer(outline.as_text(told), outline.as_document(told))
            known |= {name: _found(name, options, held, resolve) for name in conversion.missing}


def _found(name: ImageName, options: Options, held: ExitStack, resolve: Resolve) -> BaseImage:
    try:
        return resolve(name, options, held)
    except NotFound:
        return UNKNOWN_IMAGE
