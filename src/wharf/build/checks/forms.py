"""Instructions whose form is deprecated, or misleads. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from wharf.build.checks.lineage import Lineage
from wharf.build.checks.rules import Finding, finding
from wharf.build.convert.remotes import is_web, parse_git
from wharf.build.dockerfile import instructions as kinds
from wharf.lib.ignore import Matcher

_SECRET: Final = re.compile(
    r"(?i)(?:_|^)(?:apikey|auth|credential|credentials|key|password|pword|passwd|secret|token)(?:_|$)"
)
_HARMLESS: Final = re.compile(r"(?i)(?:_|^)(?:public|file|version)(?:_|$)")
_ONCE: Final = ("cmd", "entrypoint", "healthcheck")


def forms(dockerfile: kinds.Dockerfile, lineage: Lineage, ignored: Matcher) -> Iterator[Finding]:
    """Yield what is written in a form that should not be used.

    Args:
        dockerfile: what is looked at.
        lineage: its stages; rules about how instructions work look at those that are asked for.
        ignored: the patterns of ``.dockerignore``.
    """
    for instruction in dockerfile.arguments:
        yield from _secrets(instruction, [argument.name for argument in instruction.arguments])
    for index, stage in lineage.stages():
        yield from _repeated(stage)
        yield from _shells(stage, shell_set=_has_shell(lineage, index))
        if not lineage.before(index, kinds.Workdir):
            yield from _workdir(stage)
        for one in stage.instructions:
            yield from _one(one, ignored)


def alone(dockerfile: kinds.Dockerfile) -> Iterator[Finding]:
    """Yield what is said of an instruction as soon as it is read."""
    for instruction in dockerfile.arguments:
        yield from _description(instruction)
    for stage in dockerfile.stages:
        for one in stage.instructions:
            if isinstance(one, kinds.Maintainer):
                said = "Maintainer instruction is deprecated in favor of using label"
                yield finding("MaintainerDeprecated", said, one.lines)
            if isinstance(one, kinds.Arg):
                yield from _description(one)


def _one(one: kinds.Any, ignored: Matcher) -> Iterator[Finding]:
    match one:
        case kinds.Env() | kinds.Label():
            yield from _pairs(one)
        case kinds.Arg():
            yield from _secrets(one, [argument.name for argument in one.arguments])
        case kinds.Expose():
            yield from _ports(one)
        case kinds.Copy():
            yield from _copied(one, ignored)
        case _:
            return


def _description(one: kinds.Arg) -> Iterator[Finding]:
    names = [argument.name for argument in one.arguments]
    if one.comments and one.comments[-1].split(" ")[0] not in names:
        name = names[0] if len(names) == 1 else "<arg_key>"
        said = f"Comment for ARG should follow the format: `# {name} <description>`"
        yield finding("InvalidDefinitionDescription", said, one.lines)


def _pairs(one: kinds.Env | kinds.Label) -> Iterator[Finding]:
    name = one.original.split(None, 1)[0]
    for pair in one.pairs:
        if pair.legacy:
            said = f'"{name} key=value" should be used instead of legacy "{name} key value" format'
            yield finding("LegacyKeyValueFormat", said, one.lines)
    if isinstance(one, kinds.Env):
        yield from _secrets(one, [pair.name for pair in one.pairs])


def _secrets(one: kinds.Env | kinds.Arg, names: list[str]) -> Iterator[Finding]:
    for name in names:
        if _SECRET.search(name) and not _HARMLESS.search(name):
            said = f'Do not use ARG or ENV instructions for sensitive data ({one.keyword.upper()} "{name}")'
            yield finding("SecretsUsedInArgOrEnv", said, one.lines)


def _ports(one: kinds.Expose) -> Iterator[Finding]:
    for port in one.ports:
        address, slash, protocol = port.partition("/")
        if slash and protocol != protocol.lower() and "$" not in protocol:
            said = f"Defined protocol '{port}' in EXPOSE instruction should be lowercase"
            yield finding("ExposeProtoCasing", said, one.lines)
        if ":" in address and "$" not in address:
            said = f"EXPOSE instruction should not define an IP address or host-port mapping, found '{port}'"
            yield finding("ExposeInvalidFormat", said, one.lines)


def _copied(one: kinds.Copy, ignored: Matcher) -> Iterator[Finding]:
    # With exceptions, what is copied of an ignored folder may be just what they take back.
    if one.from_ or not ignored or ignored.has_exceptions:
        return
    for source in one.sources:
        path = posixpath.normpath(source).lstrip("/")
        if "$" in source or is_web(source) or (one.adds and parse_git(source)):
            continue
        if ignored.matches(path) if path not in ("", ".") else ignored.matches_everything:
            verb = "Add" if one.adds else "Copy"
            said = f'Attempting to {verb} file "{posixpath.normpath(source)}" that is excluded by .dockerignore'
            yield finding("CopyIgnoredFile", said, one.lines)


def _repeated(stage: kinds.Stage) -> Iterator[Finding]:
    """Yield the instructions that a later one makes useless."""
    last: dict[str, kinds.Any] = {}
    for one in stage.instructions:
        if one.keyword not in _ONCE:
            continue
        if earlier := last.get(one.keyword):
            name = one.original.split(None, 1)[0]
            said = f"Multiple {name} instructions should not be used in the same stage because only the last one will"
            yield finding("MultipleInstructionsDisallowed", f"{said} be used", earlier.lines)
        last[one.keyword] = one


def _has_shell(lineage: Lineage, index: int) -> bool:
    image = lineage.image(index)
    config = (image.config.get("config") if image else None) or {}
    return bool(config.get("Shell")) or lineage.before(index, kinds.Shell)


def _shells(stage: kinds.Stage, *, shell_set: bool) -> Iterator[Finding]:
    for one in stage.instructions:
        if isinstance(one, kinds.Shell):
            return
        if isinstance(one, kinds.Command) and one.shell and not shell_set:
            name = one.original.split(None, 1)[0]
            said = f"JSON arguments recommended for {name} to prevent unintended behavior related to OS signals"
            yield finding("JSONArgsRecommended", said, one.lines)


def _workdir(stage: kinds.Stage) -> Iterator[Finding]:
    first = next((one for one in stage.instructions if isinstance(one, kinds.Workdir)), None)
    if first and not first.path.startswith(("/", "$")):
        said = f'Relative workdir "{first.path}" can have unexpected results if the base image changes'
        yield finding("WorkdirRelativePath", said, first.lines)
