"""Look at a whole Dockerfile as one build would."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wharf.build.checks.bases import bases
from wharf.build.checks.forms import alone, forms
from wharf.build.checks.lineage import Lineage
from wharf.build.checks.names import beginnings, names
from wharf.build.checks.rules import Finding, finding
from wharf.build.checks.settings import Settings
from wharf.build.convert.convert import Conversion, Known, Missing
from wharf.build.convert.options import UNKNOWN_IMAGE, Options
from wharf.build.convert.scope import NOT_ENVIRONMENT
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError, meant
from wharf.build.dockerfile.stages import readable
from wharf.build.dockerfile.statement import Parsed
from wharf.errors import InvalidArgument
from wharf.images.platform import normal
from wharf.lib.ignore import Matcher


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, in the order of the lines; ``error`` is what the build itself would fail with."""

    findings: tuple[Finding, ...]
    settings: Settings
    error: DockerfileError | None = None

    def refusal(self) -> str:
        """Return why a build must fail, "" when it need not (``# check=error=true``)."""
        rules = sorted({found.rule.name for found in self.findings})
        return f"lint violation found for rules: {', '.join(rules)}" if rules and self.settings.error else ""


def check(
    parsed: Parsed, options: Options, settings: Settings, known: Known, ignored: Matcher, *, every_stage: bool
) -> Report | Missing:
    """Return what a Dockerfile should not say, or the images that have to be known first.

    Args:
        parsed: the file.
        options: of the build; stages that its target does not need are left out, for they may be meant for others.
        settings: which rules hold.
        known: images that stages begin with; ``UNKNOWN_IMAGE`` for those that cannot be had.
        ignored: the patterns of ``.dockerignore``.
        every_stage: look at all stages instead.
    """
    dockerfile, error = readable(parsed)
    found: list[Finding] = [
        finding(one.rule, "Empty continuation line", (one.line, one.line)) for one in parsed.warnings
    ]
    found += [*alone(dockerfile), *beginnings(dockerfile)]
    if error is not None:  # what needs the whole file cannot be said
        return _report(found, dockerfile, settings, error)
    try:
        conversion = Conversion(dockerfile, options, known)
        wanted = range(len(dockerfile.stages)) if every_stage else [conversion.target()]
        for index in wanted:
            conversion.stage(index)
        if conversion.missing:
            return Missing(frozenset(conversion.missing))
    except InvalidArgument as raised:
        error = raised if isinstance(raised, DockerfileError) else DockerfileError(str(raised))
    else:
        found += [*forms(dockerfile, Lineage(conversion), ignored), *_undefined(conversion), *_platforms(conversion)]
    found += [*names(dockerfile), *bases(dockerfile, options)]
    return _report(found, dockerfile, settings, error)


def _report(
    found: Iterable[Finding], dockerfile: kinds.Dockerfile, settings: Settings, error: DockerfileError | None
) -> Report:
    return Report(tuple(sorted(_holding(found, dockerfile, settings), key=_place)), settings, error)


def _place(found: Finding) -> tuple[tuple[int, int], str]:
    return found.lines, found.rule.name


def _undefined(conversion: Conversion) -> Iterator[Finding]:
    for index, stage in conversion.done.items():
        if conversion.bases.get(index) is UNKNOWN_IMAGE:
            continue  # it may well define them
        for unset in stage.unset:
            if unset.name not in NOT_ENVIRONMENT:
                guess = meant(f"${unset.name}", [f"${name}" for name in unset.known])
                yield finding("UndefinedVar", f"Usage of undefined variable '${unset.name}'{guess}", unset.lines)


def _platforms(conversion: Conversion) -> Iterator[Finding]:
    for index, base in conversion.bases.items():
        begin, wanted = conversion.dockerfile.stages[index].begin, conversion.done[index].platform
        if base is None or base is UNKNOWN_IMAGE or conversion.parent(index) is not None:
            continue
        has = normal(
            base.config.get("os") or "", base.config.get("architecture") or "", base.config.get("variant") or ""
        )
        if (has.os, has.architecture) != (wanted.os, wanted.architecture):
            said = f'Base image {begin.base} was pulled with platform "{has}", expected "{wanted}" for current build'
            yield finding("InvalidBaseImagePlatform", said, begin.lines)


def _holding(found: Iterable[Finding], dockerfile: kinds.Dockerfile, settings: Settings) -> Iterator[Finding]:
    """Yield the findings whose rules hold where they were found."""
    comments = {one.lines: one.comments for one in dockerfile.arguments}
    for stage in dockerfile.stages:
        comments |= {one.lines: one.comments for one in (stage.begin, *stage.instructions)}
    for one in found:
        if settings.with_comments(comments.get(one.lines, ())).holds(one.rule):
            yield one
