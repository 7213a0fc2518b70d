"""What the options of a local volume mean: a filesystem to mount, as mount(8)'s words, or a limit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument
from wharf.kernel.mount import MountFlag
from wharf.lib.sizes import parse_size

_NEEDED: Final = {"device": ("type",), "type": ("device",), "o": ("device", "type")}
_KNOWN: Final = (*_NEEDED, "size")
_FLAGS: Final[Mapping[str, tuple[int, int]]] = {  # word → flags to set, to clear
    "defaults": (0, 0),
    "ro": (MountFlag.RDONLY, 0),
    "rw": (0, MountFlag.RDONLY),
    "nosuid": (MountFlag.NOSUID, 0),
    "suid": (0, MountFlag.NOSUID),
    "nodev": (MountFlag.NODEV, 0),
    "dev": (0, MountFlag.NODEV),
    "noexec": (MountFlag.NOEXEC, 0),
    "exec": (0, MountFlag.NOEXEC),
    "sync": (MountFlag.SYNCHRONOUS, 0),
    "async": (0, MountFlag.SYNCHRONOUS),
    "dirsync": (MountFlag.DIRSYNC, 0),
    "noatime": (MountFlag.NOATIME, 0),
    "atime": (0, MountFlag.NOATIME),
    "nodiratime": (MountFlag.NODIRATIME, 0),
    "diratime": (0, MountFlag.NODIRATIME),
    "relatime": (MountFlag.RELATIME, 0),
    "norelatime": (0, MountFlag.RELATIME),
    "strictatime": (MountFlag.STRICTATIME, 0),
    "nostrictatime": (0, MountFlag.STRICTATIME),
    "bind": (MountFlag.BIND, 0),
    "rbind": (MountFlag.BIND | MountFlag.REC, 0),
}
_REFUSED: Final = ("remount", "move", "shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable")


@dataclass(frozen=True, slots=True)
class LocalMount:
    """A filesystem that is mounted on a volume's folder while a container uses it."""

    device: str
    type: str
    flags: int
    data: str  # what is the filesystem's own to understand

    def __str__(self) -> str:
        """Return how Docker tells it in errors, the place left open."""
        flags = f", flags: {self.flags:#x}" if self.flags else ""
        return f"mount {self.device}:{{}}{flags}" + (f", data: {self.data}" if self.data else "")


def local_mount(options: Mapping[str, str]) -> LocalMount | None:
    """Return what the options of a local volume mount; None for a plain folder.

    Raises:
        InvalidArgument: they contradict each other, in Docker's words.
    """
    for name in options:
        if name not in _KNOWN:
            raise InvalidArgument(f'invalid option: "{name}"')
    for name, others in _NEEDED.items():
        for other in others:
            if name in options and not options.get(other):
                raise InvalidArgument(f'missing required option: "{other}"')
    if "type" not in options:
        return None
    flags, data = 0, []
    for word in filter(None, options.get("o", "").split(",")):
        if word in _REFUSED:
            raise InvalidArgument(f'invalid option: "{word}" is not for the mount of a volume')
        if word in _FLAGS:
            added, cleared = _FLAGS[word]
            flags = flags & ~cleared | added
        else:
            data.append(word)
    return LocalMount(options["device"], options["type"], int(flags), ",".join(data))


def size_limit(options: Mapping[str, str]) -> int:
    """Return how many bytes a volume may hold; 0 for as many as there is room for.

    Raises:
        InvalidArgument: the size is none, or something is mounted that has a size of its own.
    """
    text = options.get("size", "")
    if text and "type" in options:
        raise InvalidArgument("size is of a folder: a filesystem that is mounted has its own, as in o=size=10m")
    try:
        return parse_size(text) if text else 0
    except (ValueError, InvalidArgument) as error:
        raise InvalidArgument(f"invalid size: '{text}'") from error
