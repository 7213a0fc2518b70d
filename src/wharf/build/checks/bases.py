"""What FROM says of images and platforms. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from wharf.build.checks.rules import Finding, finding
from wharf.build.convert.options import Options
from wharf.build.convert.scope import global_arguments
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError, meant
from wharf.build.dockerfile.words import Expansion, Malformed, Rules, expand
from wharf.errors import InvalidArgument
from wharf.images.platform import parse_platform
from wharf.lib.reference import parse_reference


def bases(dockerfile: kinds.Dockerfile, options: Options) -> Iterator[Finding]:
    """Yield what is wrong with the images and platforms that stages begin with."""
    try:
        values = global_arguments(dockerfile, options)
        defaults = global_arguments(dockerfile, replace(options, build_args={}))
    except DockerfileError:
        return  # the build fails with it, and says so
    declared = {one.name for instruction in dockerfile.arguments for one in instruction.arguments}
    for stage in dockerfile.stages:
        yield from _base(stage.begin, values, declared, dockerfile.escape)
        yield from _platform(stage.begin, values, declared, dockerfile.escape)
        yield from _default(stage.begin, defaults, dockerfile.escape)


def _expanded(text: str, values: Mapping[str, str], escape: str) -> Expansion | None:
    try:
        return expand(text, values, Rules(escape))
    except Malformed:
        return None


def _base(begin: kinds.From, values: Mapping[str, str], declared: set[str], escape: str) -> Iterator[Finding]:
    yield from _undeclared(begin, _expanded(begin.base, values, escape), {*values, *declared})


def _undeclared(begin: kinds.From, found: Expansion | None, known: set[str]) -> Iterator[Finding]:
    for name in sorted(found.missing - known) if found else ():
        said = f"FROM argument '{name}' is not declared{meant(name, sorted(known))}"
        yield finding("UndefinedArgInFrom", said, begin.lines)


def _platform(begin: kinds.From, values: Mapping[str, str], declared: set[str], escape: str) -> Iterator[Finding]:
    found = _expanded(begin.platform, values, escape) if begin.platform else None
    if found is None:
        return
    yield from _undeclared(begin, found, {*values, *declared})
    if found.used == {"TARGETPLATFORM"} and not found.missing and found.text == values["TARGETPLATFORM"]:
        said = f"Setting platform to predefined {begin.platform} in FROM is redundant as this is the default behavior"
        yield finding("RedundantTargetPlatform", said, begin.lines)
    if not found.used and not found.missing and not _named_for(begin.name, found.text):
        said = f'FROM --platform flag should not use constant value "{found.text}"'
        yield finding("FromPlatformFlagConstDisallowed", said, begin.lines)


def _named_for(stage: str, platform: str) -> bool:
    """Return whether a stage's name says that it is for one platform; so does one that is none."""
    try:
        parsed = parse_platform(platform)
    except InvalidArgument:
        return True
    return parsed.os in stage or parsed.architecture in stage


def _default(begin: kinds.From, defaults: Mapping[str, str], escape: str) -> Iterator[Finding]:
    found = _expanded(begin.base, defaults, escape)
    if found is None:
        return
    try:
        parse_reference(found.text)
    except InvalidArgument:
        said = f"Default value for ARG {begin.base} results in empty or invalid base image name"
        yield finding("InvalidDefaultArgInFrom", said, begin.lines)
