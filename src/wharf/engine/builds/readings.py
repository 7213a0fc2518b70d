"""What Dockerfiles say, kept: a build that is asked for again need not have them read and converted again.

All of it follows from the text, the options and the images that stages begin with, so it is the same for all builds.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property
from typing import Final

from wharf.build.checks.check import Report, check
from wharf.build.checks.settings import settings_of
from wharf.build.convert.convert import Converted, Known, Missing, convert
from wharf.build.convert.options import Options
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.parser import parse
from wharf.build.dockerfile.stages import stages_of
from wharf.lib.digest import digest_of
from wharf.lib.ignore import Matcher
from wharf.lib.memo import Memo

_MOST_TEXTS: Final = 16
_MOST_CHARACTERS: Final = 1 << 16  # of a text that is kept
_MOST_ANSWERS: Final = 8  # about one text


class Reading:
    """One Dockerfile, and what was asked about it. What it returns is nobody's to change."""

    def __init__(self, source: str) -> None:
        """Take a text apart.

        Raises:
            DockerfileError: it is malformed.
        """
        self._source = source
        self._parsed = parse(source)
        self._converted: Memo[Converted | Missing] = Memo(_MOST_ANSWERS)
        self._reports: Memo[Report | Missing] = Memo(_MOST_ANSWERS)

    @cached_property
    def digest(self) -> str:
        """Stands for the text."""
        return digest_of(self._source.encode("utf-8", "surrogateescape"))

    @cached_property
    def dockerfile(self) -> kinds.Dockerfile:
        """Its stages; raises DockerfileError when an instruction is malformed."""
        return stages_of(self._parsed)

    def convert(self, options: Options, known: Known) -> Converted | Missing:
        """Return what it makes; as :func:`wharf.build.convert.convert.convert`."""
        question = question_of(options, known)
        if question is None:
            return convert(self.dockerfile, options, known)
        return self._converted.get(question, lambda: convert(self.dockerfile, options, known))

    def check(self, options: Options, known: Known, ignored: Matcher, *, every_stage: bool) -> Report | Missing:
        """Return what it should not say; as :func:`wharf.build.checks.check.check`.

        Raises:
            InvalidArgument: what it says about checks is malformed.
        """

        def looked() -> Report | Missing:
            settings = settings_of(self._source, options.build_args)
            return check(self._parsed, options, settings, known, ignored, every_stage=every_stage)

        question = question_of(options, known)
        if question is None:
            return looked()
        return self._reports.get((question, ignored.patterns, every_stage), looked)


class Readings:
    """Those of one engine that were asked for last."""

    def __init__(self) -> None:
        self._known: Memo[Reading] = Memo(_MOST_TEXTS)

    def of(self, source: str) -> Reading:
        """Return the reading of a text; raises as it does."""
        if len(source) > _MOST_CHARACTERS:
            return Reading(source)
        return self._known.get(source, lambda: Reading(source))


def question_of(options: Options, known: Known) -> Hashable | None:
    """Return what an answer follows from besides the text; None where an image has nothing that pins it."""
    digests = frozenset((name, base.digest) for name, base in known.items())
    return None if any(not digest for _, digest in digests) else (repr(options), digests)
