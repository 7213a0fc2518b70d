"""Docker's seccomp profiles carry conditions (capabilities, architecture, kernel); this resolves them for OCI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypedDict, cast

from wharf.spec.oci_runtime import Seccomp, SyscallArg, SyscallRule


class Condition(TypedDict, total=False):
    """When a rule applies: all of these must hold."""

    caps: list[str]
    arches: list[str]
    minKernel: str


class Rule(TypedDict, total=False):
    """A rule of the profile; ``name`` is the older spelling of a one-element ``names``."""

    name: str
    names: list[str]
    action: str
    errnoRet: int
    args: list[SyscallArg] | None
    includes: Condition
    excludes: Condition


class ArchitectureMap(TypedDict, total=False):
    """A native architecture and those that run beside it."""

    architecture: str
    subArchitectures: list[str] | None


class Profile(TypedDict, total=False):
    """The document (docker docs, "Seccomp security profiles for Docker")."""

    defaultAction: str
    defaultErrnoRet: int
    architectures: list[str]
    archMap: list[ArchitectureMap]
    flags: list[str]
    syscalls: list[Rule]


_NATIVE: Final = {"amd64": "SCMP_ARCH_X86_64", "arm64": "SCMP_ARCH_AARCH64"}


def parse(document: object) -> Profile:
    """Return ``document`` as a profile.

    Raises:
        ValueError: it is not an object with a defaultAction and well-formed rules.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("defaultAction"), str):
        raise ValueError("defaultAction is missing")  # noqa: TRY004  # a fault of the document
    rules: Any = document.get("syscalls") or []
    if not isinstance(rules, list) or not all(
        isinstance(r, Mapping) and isinstance(r.get("action"), str) for r in rules
    ):
        raise ValueError("syscalls is not a list of rules with an action")
    return cast("Profile", dict(document))


def resolve(profile: Profile, *, capabilities: frozenset[str], arch: str, kernel: tuple[int, int]) -> Seccomp:
    """Return the OCI filter that ``profile`` means for these capabilities, this architecture and kernel."""
    result: Seccomp = {"defaultAction": profile["defaultAction"], "syscalls": []}
    if (errno := profile.get("defaultErrnoRet")) is not None:
        result["defaultErrnoRet"] = errno
    if flags := profile.get("flags"):
        result["flags"] = list(flags)
    result["architectures"] = _architectures(profile, arch)
    result["syscalls"] = [
        _plain(rule)
        for rule in profile.get("syscalls") or []
        if _holds(rule.get("includes") or {}, capabilities, arch, kernel)
        and not _excluded(rule.get("excludes") or {}, capabilities, arch, kernel)
    ]
    return result


def _architectures(profile: Profile, arch: str) -> list[str]:
    native = _NATIVE[arch]
    for entry in profile.get("archMap") or []:
        if entry["architecture"] == native:
            return [native, *(entry.get("subArchitectures") or [])]
    return list(profile.get("architectures") or [native])


def _holds(condition: Condition, capabilities: frozenset[str], arch: str, kernel: tuple[int, int]) -> bool:
    return (
        set(condition.get("caps") or []) <= capabilities
        and (not condition.get("arches") or arch in condition["arches"])
        and _kernel(condition) <= kernel
    )


def _excluded(condition: Condition, capabilities: frozenset[str], arch: str, kernel: tuple[int, int]) -> bool:
    return (
        bool(set(condition.get("caps") or []) & capabilities)
        or arch in (condition.get("arches") or [])
        or (bool(condition.get("minKernel")) and _kernel(condition) <= kernel)
    )


def _kernel(condition: Condition) -> tuple[int, int]:
    major, _, minor = (condition.get("minKernel") or "0.0").partition(".")
    return int(major), int(minor or 0)


def _plain(rule: Rule) -> SyscallRule:
    plain: SyscallRule = {"names": rule.get("names") or [rule["name"]], "action": rule["action"]}
    if (errno := rule.get("errnoRet")) is not None:
        plain["errnoRet"] = errno
    if args := rule.get("args"):
        plain["args"] = args
    return plain
