"""Mount options as the runtime specification spells them (config.md "Linux mount options") → flags and data. Pure."""

from __future__ import annotations

from wharf.kernel.mount import MountAttr, MountFlag
from wharf.runtime.errors import invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from wharf.spec.oci_runtime import Mount

_ATIME: Final = int(MountAttr.ATIME)

_ATTRIBUTES: Final = {  # option → (set, clear)
    "ro": (int(MountAttr.RDONLY), 0),
    "rw": (0, int(MountAttr.RDONLY)),
    "nosuid": (int(MountAttr.NOSUID), 0),
    "suid": (0, int(MountAttr.NOSUID)),
    "nodev": (int(MountAttr.NODEV), 0),
    "dev": (0, int(MountAttr.NODEV)),
    "noexec": (int(MountAttr.NOEXEC), 0),
    "exec": (0, int(MountAttr.NOEXEC)),
    "noatime": (int(MountAttr.NOATIME), _ATIME),
    "atime": (int(MountAttr.RELATIME), _ATIME),
    "relatime": (int(MountAttr.RELATIME), _ATIME),
    "norelatime": (int(MountAttr.STRICTATIME), _ATIME),
    "strictatime": (int(MountAttr.STRICTATIME), _ATIME),
    "nostrictatime": (int(MountAttr.RELATIME), _ATIME),
    "nodiratime": (int(MountAttr.NODIRATIME), 0),
    "diratime": (0, int(MountAttr.NODIRATIME)),
    "nosymfollow": (int(MountAttr.NOSYMFOLLOW), 0),
    "symfollow": (0, int(MountAttr.NOSYMFOLLOW)),
}

_PROPAGATION: Final = {
    "private": int(MountFlag.PRIVATE),
    "shared": int(MountFlag.SHARED),
    "slave": int(MountFlag.SLAVE),
    "unbindable": int(MountFlag.UNBINDABLE),
}

PART: Final = "wharf.part="
MOUNTS_OF: Final = "wharf.mounts_of="
_SUPERBLOCK: Final = frozenset({"sync", "dirsync", "lazytime", "mand", "silent", "iversion"})
_NOTHING: Final = frozenset({"defaults", "async", "nolazytime", "nomand", "loud", "nodirsync", "noiversion", ""})


class Options:
    """What a list of options means.

    Attributes:
        set, clear: attributes (MountAttr) of the mount itself.
        set_below, clear_below: attributes of it and everything below it (rro, rnosuid, ...).
        propagation: (MountFlag, recursive) to apply in order.
        bind: a bind mount; ``recursive``: with what is mounted below the source.
        superblock: options of the filesystem that are flags; data: (key, value), value "" for a flag.
        part: of a bind mount's source: a path that is found inside it (our extension: what may write to the source
            cannot lead it elsewhere).
        mounts_of: of a bind mount: the process in whose root, and among whose mounts, the source is; 0: our own (an
            extension too: a container's mounts are in its own namespace, where no path of ours leads).
        copy_up: tmpcopyup: the tmpfs starts with what the image has there.
        idmap: idmap or ridmap was asked for; ``map_recursive``: the latter; ``maps``: its (uid_map, gid_map).
        remount: change the mount that is there.
    """

    __slots__ = (
        "bind",
        "clear",
        "clear_below",
        "copy_up",
        "data",
        "idmap",
        "map_recursive",
        "maps",
        "mounts_of",
        "part",
        "propagation",
        "recursive",
        "remount",
        "set",
        "set_below",
        "superblock",
    )

    def __init__(self) -> None:
        self.set = self.clear = self.set_below = self.clear_below = 0
        self.propagation: list[tuple[int, bool]] = []
        self.bind = self.recursive = self.copy_up = self.idmap = self.map_recursive = self.remount = False
        self.maps: tuple[str, str] | None = None
        self.superblock: list[str] = []
        self.part = ""
        self.mounts_of = 0
        self.data: list[tuple[str, str]] = []

    def __repr__(self) -> str:
        shown = ((name, getattr(self, name)) for name in self.__slots__)
        return "Options(" + ", ".join(f"{name}={value!r}" for name, value in shown if value) + ")"


def parse(options: Iterable[str]) -> Options:
    """Return the meaning of ``options``; a later one wins over an earlier one.

    Raises:
        StartFailed: one is not supported.
    """
    result = Options()
    for option in options:
        if option in _ATTRIBUTES:
            result.set, result.clear = _combine(result.set, result.clear, option)
        elif option[:1] == "r" and option[1:] in _ATTRIBUTES:
            result.set_below, result.clear_below = _combine(result.set_below, result.clear_below, option[1:])
        elif option.removeprefix("r") in _PROPAGATION:
            result.propagation.append((_PROPAGATION[option.removeprefix("r")], option.startswith("r")))
        else:
            _other(result, option)
    return result


def _combine(set_: int, clear: int, option: str) -> tuple[int, int]:
    more, less = _ATTRIBUTES[option]
    return (set_ & ~less) | more, (clear & ~more) | less


def _other(result: Options, option: str) -> None:
    if option in ("bind", "rbind", "move"):
        # In a namespace that is a copy, to move a tree and to bind it whole come to the same: the old root goes.
        result.bind = True
        result.recursive = result.recursive or option != "bind"
    elif option == "tmpcopyup":
        result.copy_up = True
    elif option in ("idmap", "ridmap"):
        result.idmap = True
        result.map_recursive = option == "ridmap"
    elif option == "remount":
        result.remount = True
    elif option in _SUPERBLOCK:
        result.superblock.append(option)
    elif option.startswith(PART):
        # Few want it, for start-up; and it is loaded here, while our own files are still in sight.
        from wharf.runtime import part  # noqa: F401, PLC0415

        result.part = option.removeprefix(PART)
    elif option.startswith(MOUNTS_OF):
        result.mounts_of = _process(option)
    elif option not in _NOTHING:
        key, _, value = option.partition("=")
        result.data.append((key, value))


def _process(option: str) -> int:
    text = option.removeprefix(MOUNTS_OF)
    if not text.isdecimal() or not int(text):
        raise invalid(f"mount option {option} names no process")
    return int(text)


def is_bind(mount: Mount) -> bool:
    """Return whether it shows a folder or a file of the host's: by its type, or by an option."""
    options = mount.get("options") or ()
    return mount.get("type") == "bind" or "bind" in options or "rbind" in options or "move" in options


def propagation_of(name: str) -> tuple[int, bool]:
    """Return (MountFlag, recursive) of ``linux.rootfsPropagation``.

    Raises:
        StartFailed: unknown.
    """
    flag = _PROPAGATION.get(name.removeprefix("r"))
    if flag is None:
        raise invalid(f"rootfsPropagation={name} is not supported")
    return flag, name.startswith("r")


def known() -> set[str]:
    """Return every option that has a meaning of its own here; others are handed to the filesystem."""
    names = {*_ATTRIBUTES, *_PROPAGATION}
    own = {"bind", "rbind", "tmpcopyup", "idmap", "ridmap", "remount", "move"}
    return names | {f"r{name}" for name in names} | _SUPERBLOCK | (_NOTHING - {""}) | own
