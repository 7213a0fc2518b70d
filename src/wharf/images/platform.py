"""Which machine an image is for: ``os/architecture[/variant]``, and which of several suits best. Pure.

Names are Go's (image-spec image-index.md, "platform"); variants as containerd orders them.
"""

from __future__ import annotations

import platform as machine
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument
from wharf.spec.oci_image import Descriptor
from wharf.spec.oci_image import Platform as PlatformDocument

_ALIASES: Final = {
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "i386": ("386", ""),
    "i686": ("386", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armv7l": ("arm", "v7"),
    "armv6l": ("arm", "v6"),
    "armel": ("arm", "v6"),
}
_ARCHITECTURES: Final = frozenset({
    "386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "ppc64", "ppc64le", "loong64", "mips",
    "mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le", "ppc", "riscv", "riscv64", "s390", "s390x",
    "sparc", "sparc64", "wasm",
})  # fmt: skip
_SYSTEMS: Final = frozenset({
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "nacl", "netbsd",
    "openbsd", "plan9", "solaris", "windows", "zos",
})  # fmt: skip
_PART: Final = re.compile(r"[A-Za-z0-9_.-]+")
UNKNOWN: Final = "unknown"
"""What attestations have for an operating system and an architecture."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A normal form: default variants (amd64's v1, arm64's v8) are empty, arm's is v7."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def normal(os: str, architecture: str, variant: str = "") -> Platform:
    """Return the normal form of what a document or a person says."""
    architecture = architecture.lower()
    if architecture in _ALIASES:
        architecture, implied = _ALIASES[architecture]
        variant = variant or implied
    variant = variant.lower()
    if variant and variant[0] != "v":
        variant = f"v{variant}"
    if (architecture, variant) in {("amd64", "v1"), ("arm64", "v8")}:
        variant = ""
    if architecture == "arm" and not variant:
        variant = "v7"
    return Platform(os.lower() or "linux", architecture, variant)


def host() -> Platform:
    """Return this machine's."""
    return normal("linux", machine.machine())


def optional_platform(text: str | None) -> Platform | None:
    """Return what :func:`parse_platform` makes of ``text``; None for none."""
    return parse_platform(text) if text else None


def parse_platform(text: str) -> Platform:
    """Return the platform that ``text`` spells: ``linux/arm/v7``, ``linux`` or ``arm64``.

    Raises:
        InvalidArgument: it is malformed, or of another operating system.
    """
    parts = text.split("/")
    if not _PART.fullmatch(parts[0]):
        raise InvalidArgument(f'"{parts[0]}" is an invalid OS component of "{text}": use OS/ARCHITECTURE[/VARIANT]')
    if len(parts) > 3 or not all(_PART.fullmatch(part) for part in parts):
        raise InvalidArgument(f'"{text}": invalid platform: use OS/ARCHITECTURE[/VARIANT]')
    found = _of_one_word(text) if len(parts) == 1 else normal(*parts)
    if found.os != "linux":
        raise InvalidArgument(f'"{text}": operating system is not supported: only linux images can be used here')
    return found


def _of_one_word(text: str) -> Platform:
    """Return what one word means: a system, on this machine's architecture, or an architecture, with Linux.

    Only a known word tells which of the two it is (containerd/platforms, "Parse").
    """
    own = host()
    system = "darwin" if (word := text.lower()) == "macos" else word
    if system == own.os or system in _SYSTEMS:
        return Platform(system, own.architecture, own.variant)
    found = normal(own.os, word)
    if found.architecture not in _ARCHITECTURES:
        raise InvalidArgument(f'"{text}": unknown operating system or architecture: invalid argument')
    return found


def platform_of(document: PlatformDocument | None) -> Platform | None:
    """Return a descriptor's platform; None when it says nothing, or that it is of no machine's (an attestation)."""
    if not document:
        return None
    os, architecture = document.get("os", ""), document.get("architecture", "")
    if not architecture or UNKNOWN in (os, architecture):
        return None
    return normal(os, architecture, document.get("variant", ""))


def acceptable(wanted: Platform) -> list[Platform]:
    """Return what runs on ``wanted``, the best first: itself, its lower variants, its 32-bit ancestor."""
    found = [wanted]
    if wanted.variant[1:].isdigit():
        lowest = 5 if wanted.architecture == "arm" else 1
        levels = range(int(wanted.variant[1:]) - 1, lowest - 1, -1)
        found += [normal(wanted.os, wanted.architecture, f"v{level}") for level in levels]
    if wanted.architecture == "amd64":
        found.append(Platform(wanted.os, "386"))
    if wanted.architecture == "arm64":
        found += [Platform(wanted.os, "arm", f"v{level}") for level in (8, 7, 6, 5)]
    return list(dict.fromkeys(found))


def choose(candidates: Sequence[Descriptor], wanted: Platform) -> Descriptor | None:
    """Return the descriptor of an index that suits ``wanted`` best, or None; one without a platform suits last."""
    for suitable in acceptable(wanted):
        for candidate in candidates:
            if platform_of(candidate.get("platform")) == suitable:
                return candidate
    return next((one for one in candidates if not one.get("platform")), None)
