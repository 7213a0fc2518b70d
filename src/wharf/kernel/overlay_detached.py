"""Detached overlay mounts on every kernel: before Linux 6.5 a thread mounts them where nobody sees it.

For programs that may have threads; the runtime has a place to mount at (:func:`wharf.kernel.overlay.attach`).
"""

from __future__ import annotations

import errno
import threading
from collections.abc import Mapping, Sequence

from wharf.kernel import mount, namespace, overlay
from wharf.kernel.mount import MountFlag
from wharf.kernel.namespace import Clone


def detached(
    lower: Sequence[str],
    upper: str | None = None,
    work: str | None = None,
    *,
    options: Mapping[str, str] | None = None,
) -> int:
    """Return the descriptor of a detached overlay mount, as :func:`wharf.kernel.overlay.detached` does.

    Raises:
        OSError: with what the kernel said.
    """
    try:
        return overlay.detached(lower, upper, work, options=options)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
    return aside(lower, upper, work, options=options)


def aside(
    lower: Sequence[str],
    upper: str | None = None,
    work: str | None = None,
    *,
    options: Mapping[str, str] | None = None,
) -> int:
    """Mount it over its uppermost folder, in a mount namespace that goes with the thread it is made for."""
    made: list[int | OSError] = []

    def work_aside() -> None:
        try:
            namespace.unshare(Clone.NEWNS)
            mount.mount(None, "/", None, MountFlag.REC | MountFlag.PRIVATE)
            overlay.attach(lower[0], lower, upper, work, options=options)
            made.append(mount.open_tree(lower[0]))
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=work_aside, name="wharf-overlay")
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]
