"""Values of variables: arguments of the whole file, arguments and environment of a stage. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from wharf.build.convert.options import Options
from wharf.build.dockerfile import instructions as kinds
from wharf.build.dockerfile.errors import DockerfileError
from wharf.build.dockerfile.words import Expansion, Malformed, Rules, expand
from wharf.build.epoch import EPOCH, settled

PROXIES: Final = (
    "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "FTP_PROXY", "ftp_proxy", "NO_PROXY", "no_proxy",
    "ALL_PROXY", "all_proxy",
)  # fmt: skip
NOT_ENVIRONMENT: Final = ("BUILDKIT_INLINE_CACHE", "BUILDKIT_MULTI_PLATFORM", "BUILDKIT_CACHE_MOUNT_NS",
                          "BUILDKIT_CONTEXT_KEEP_GIT_DIR", "BUILDKIT_SANDBOX_HOSTNAME", "BUILDKIT_SYNTAX",
                          "BUILDKIT_DOCKERFILE_CHECK", "BUILDKIT_BUILD_NAME",
                          "BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE")  # fmt: skip


def platform_arguments(options: Options, target: str) -> dict[str, str]:
    """Return the automatic arguments (Dockerfile reference, "Automatic platform ARGs")."""
    values = {"TARGETSTAGE": target or "default"}
    for prefix, platform in (("BUILD", options.host), ("TARGET", options.platform)):
        values |= {
            f"{prefix}PLATFORM": str(platform),
            f"{prefix}OS": platform.os,
            f"{prefix}OSVERSION": "",
            f"{prefix}ARCH": platform.architecture,
            f"{prefix}VARIANT": platform.variant,
        }
    return {name: options.build_args.get(name, value) for name, value in values.items()}


def global_arguments(dockerfile: kinds.Dockerfile, options: Options) -> dict[str, str]:
    """Return the arguments that hold before the first FROM; one without a value is not among them.

    Raises:
        DockerfileError: a default is malformed.
    """
    target = options.target or (dockerfile.stages[-1].name if dockerfile.stages else "")
    values = platform_arguments(options, target)
    for instruction in dockerfile.arguments:
        for argument in instruction.arguments:
            value = options.build_args.get(argument.name)
            if value is None and argument.default is not None:
                value = expanded(argument.default, values, instruction.lines, dockerfile.escape).text
                value = settled(value, options.context_epoch_s) if argument.name == EPOCH else value
            if value is not None:
                values[argument.name] = value
    return values


def expanded(
    text: str, environment: Mapping[str, str], lines: tuple[int, int], escape: str, *, raw: bool = False
) -> Expansion:
    """Return ``text`` with its variables replaced.

    Raises:
        DockerfileError: it is malformed; with its lines.
    """
    try:
        return expand(text, environment, Rules(escape=escape, ignore_quotes=raw))
    except Malformed as error:
        raise DockerfileError(str(error), lines) from None


def pairs(environment: Iterable[str]) -> dict[str, str]:
    """Return ``NAME=value`` entries as a table."""
    return {name: value for name, _, value in (entry.partition("=") for entry in environment)}
