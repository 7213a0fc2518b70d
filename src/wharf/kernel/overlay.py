"""Overlay mounts made without a place in the tree, so that nothing can leak (overlayfs, kernel docs).

Linux 6.5 takes the layers one by one (``lowerdir+``). Before that they share one option of one page, which fits
about 120 layers when each is named by a descriptor.
"""

from __future__ import annotations

import errno
import os

from wharf.kernel import mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Final, Self

_ONE_BY_ONE: Final = (6, 5)
_LONGEST_VALUE: Final = 255  # bytes; fsconfig(2) refuses more


def detached(
    lower: Sequence[str],
    upper: str | None = None,
    work: str | None = None,
    *,
    options: Mapping[str, str] | None = None,
    attributes: int = 0,
) -> int:
    """Return the descriptor (as O_PATH) of a detached overlay mount, owned by the caller; closing it unmounts.

    Args:
        lower: folders of the read-only layers, the uppermost first. One alone without ``upper`` is no overlay: the
            mount is then a read-only copy of that folder's mount.
        upper: folder that takes the writes; None makes the mount read-only.
        work: empty folder beside ``upper``, needed with it.
        options: more options, such as ``{"volatile": "", "userxattr": ""}``; an empty value is a flag.
        attributes: :class:`wharf.kernel.mount.MountAttr`.

    Raises:
        OSError: with what the kernel said; EOPNOTSUPP on kernels older than 6.5: use :func:`attach`.
    """
    if upper is None and len(lower) == 1:
        return _read_only(lower[0], attributes)
    if not takes_layers_one_by_one(os.uname().release):
        raise OSError(errno.EOPNOTSUPP, "overlay takes no lowerdir+ on this kernel")
    with _Descriptors() as keep:
        fs = keep.add(mount.fsopen("overlay"))
        try:
            for folder in lower:
                mount.set_string(fs, "lowerdir+", keep.short(folder))
            _configure(fs, _tail(upper, work, options, keep))
            mount.create(fs)
        except OSError as error:
            said = mount.messages(fs)
            raise OSError(error.errno, said or error.strerror, error.filename) from error
        return mount.fsmount(fs, attributes)


def takes_layers_one_by_one(release: str) -> bool:
    """Return whether a kernel of this release has ``lowerdir+``; older ones refuse it without a word of it. Pure."""
    major, minor = (int("".join(c for c in part if c.isdigit()) or "0") for part in release.split(".")[:2])
    return (major, minor) >= _ONE_BY_ONE


def attach(
    target: str,
    lower: Sequence[str],
    upper: str | None = None,
    work: str | None = None,
    *,
    options: Mapping[str, str] | None = None,
    flags: int = 0,
) -> None:
    """Mount it at ``target`` by mount(2), the way of kernels before 6.5; arguments as for :func:`detached`."""
    with _Descriptors() as keep:
        layers = ":".join(keep.by_descriptor(folder) for folder in lower)
        tail = _tail(upper, work, options, keep)
        data = ",".join([f"lowerdir={layers}", *(f"{key}={value}" if value else key for key, value in tail)])
        mount.mount("overlay", target, "overlay", flags, data)


def _configure(fs: int, tail: Iterable[tuple[str, str]]) -> None:
    for key, value in tail:
        if value:
            mount.set_string(fs, key, value)
        else:
            mount.set_flag(fs, key)


def _tail(
    upper: str | None, work: str | None, options: Mapping[str, str] | None, keep: _Descriptors
) -> list[tuple[str, str]]:
    tail = list((options or {}).items())
    if upper is not None:
        if work is None:
            raise ValueError("an overlay with an upper folder needs a work folder")
        tail += [("upperdir", keep.short(upper)), ("workdir", keep.short(work))]
    return tail


def _read_only(folder: str, attributes: int) -> int:
    copy = mount.open_tree(folder)
    try:
        mount.mount_setattr(copy, set_=mount.MountAttr.RDONLY | attributes)
    except BaseException:
        os.close(copy)
        raise
    return copy


class _Descriptors:
    """Descriptors that live until the mount is made."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self._open:
            os.close(fd)

    def add(self, fd: int) -> int:
        self._open.append(fd)
        return fd

    def short(self, folder: str) -> str:
        """Return a name of ``folder`` that fsconfig takes."""
        return folder if len(os.fsencode(folder)) <= _LONGEST_VALUE else self.by_descriptor(folder)

    def by_descriptor(self, folder: str) -> str:
        """Return a short name of ``folder`` without a colon or a comma in it."""
        return f"/proc/self/fd/{self.add(os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))}"
