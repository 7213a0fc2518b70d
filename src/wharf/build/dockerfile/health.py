"""HEALTHCHECK (Dockerfile reference). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from wharf.build.dockerfile.flags import Flags, Kind
from wharf.build.dockerfile.statement import Statement
from wharf.errors import InvalidArgument
from wharf.lib.durations import parse_duration
from wharf.spec.oci_image import Healthcheck

_FLAGS: Final[Mapping[str, Kind]] = {
    "interval": "string",
    "timeout": "string",
    "start-period": "string",
    "start-interval": "string",
    "retries": "string",
}
_MINIMUM_NS: Final = 1_000_000


def health_check(statement: Statement) -> Healthcheck:
    """Return the check that a HEALTHCHECK statement describes.

    Raises:
        InvalidArgument: it describes none, in BuildKit's words.
    """
    kind, args = statement.args[0].upper(), statement.args[1:]
    if kind == "NONE":
        if args:
            raise InvalidArgument("HEALTHCHECK NONE takes no arguments")
        return {"Test": ["NONE"]}
    flags = Flags(statement.flags, _FLAGS)
    if kind != "CMD":
        raise InvalidArgument(f'Unknown type "{kind}" in HEALTHCHECK (try CMD)')
    command = list(args) if statement.json else [" ".join(args)] * bool(args)
    if not command:
        raise InvalidArgument("Missing command after HEALTHCHECK CMD")
    check: Healthcheck = {"Test": ["CMD" if statement.json else "CMD-SHELL", *command]}
    if interval := _duration(flags, "interval"):
        check["Interval"] = interval
    if timeout := _duration(flags, "timeout"):
        check["Timeout"] = timeout
    if period := _duration(flags, "start-period"):
        check["StartPeriod"] = period
    if start := _duration(flags, "start-interval"):
        check["StartInterval"] = start
    if retries := _retries(flags.text("retries")):
        check["Retries"] = retries
    return check


def _duration(flags: Flags, name: str) -> int:
    text = flags.text(name)
    if not text:
        return 0
    duration_ns = parse_duration(text)
    if duration_ns and duration_ns < _MINIMUM_NS:
        raise InvalidArgument(f'Interval "{name}" cannot be less than 1ms')
    return duration_ns


def _retries(text: str) -> int:
    if not text:
        return 0
    try:
        retries = int(text)
    except ValueError:
        raise InvalidArgument(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None
    if retries < 0:
        raise InvalidArgument(f"--retries cannot be negative ({retries})")
    return retries
